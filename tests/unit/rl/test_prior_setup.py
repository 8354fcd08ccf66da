"""``--motion_prior`` in the configs of a task, and the prior beside a run's checkpoints. No simulator."""

import pytest
import torch
from tensordict import TensorDict

from whole_body_tracking.priors.checkpoint import save_model
from whole_body_tracking.priors.motion_model import MotionModel
from whole_body_tracking.priors.networks.modes import NetworkSettings
from whole_body_tracking.priors.state import StateLayout
from whole_body_tracking.rl.cli import parse_args
from whole_body_tracking.rl.prior.actor import PriorActor
from whole_body_tracking.rl.prior.model_cfg import PriorModelCfg
from whole_body_tracking.rl.prior.observations import TERM_NAMES
from whole_body_tracking.rl.prior.setup import PRIOR_FILE, PriorSettings, adopt_prior, configure_prior, keep_prior
from whole_body_tracking.rl.session import resolve_configs
from whole_body_tracking.rl.training import train_parser
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

TASK = "Tracking-Flat-G1-v0"


@pytest.fixture(scope="module")
def priors(tmp_path_factory):
    """Two priors of other weights at 50 fps and one at 30."""
    folder = tmp_path_factory.mktemp("priors")
    for name, fps in (("one", 50.0), ("two", 50.0), ("slow", 30.0)):
        model = MotionModel(StateLayout.of_robot(G1, fps), NetworkSettings.default("mlp", hidden=16, layers=1))
        save_model(folder / f"{name}.safetensors", model, {"data": "x"})
    return folder


@pytest.fixture
def configs(monkeypatch):
    """Arguments and configs of a task, as train.py resolves them."""
    monkeypatch.setattr("sys.argv", ["train.py"])

    def resolve(*arguments: object, task: str = TASK):
        args = parse_args(train_parser("Train."), ["--task", task, "--device", "cpu", *map(str, arguments)])
        return args, *resolve_configs(args)

    return resolve


def test_a_run_keeps_its_prior_and_finds_it_again(priors, configs, tmp_path):
    flags = ("--motion_prior", priors / "one.safetensors", "--prior_history", 4, "--unfreeze_after", 7)
    args, env_cfg, agent_cfg = configs(*flags)
    configure_prior(args, env_cfg, agent_cfg)
    for network in (agent_cfg.actor, agent_cfg.critic):
        assert isinstance(network, PriorModelCfg) and (network.history, network.unfreeze_after) == (4, 7)
        assert network.hidden_dims == [512, 256, 128]
    policy, critic = env_cfg.observations.policy, env_cfg.observations.critic
    assert tuple(vars(policy))[-6:] == TERM_NAMES == tuple(vars(critic))[-6:]
    assert (
        policy.prior_joint_vel.noise.n_max == policy.joint_vel.noise.n_max
        and policy.prior_joint_vel.history_length == 4
    )
    assert critic.prior_joint_vel.noise is None
    fields = agent_cfg.actor.to_dict() | {"joint_order": list(G1.joint_names)}
    assert fields.pop("class_name").endswith(":PriorActor")
    obs = TensorDict({"policy": torch.zeros(2, 160 + 4 * 68)}, [2])
    assert PriorActor(obs, {"actor": ["policy"]}, "actor", 29, **fields)(obs).shape == (2, 29)
    keep_prior(tmp_path, agent_cfg)
    _, env_again, agent_again = configs()
    adopt_prior(tmp_path / "model_0.pt", env_again, agent_again)
    expected = agent_cfg.actor.to_dict() | {"motion_prior": str(tmp_path / PRIOR_FILE)}
    assert agent_again.actor.to_dict() == expected
    assert tuple(vars(env_again.observations.policy)) == tuple(vars(policy))
    adopt_prior(tmp_path / "model_0.pt", env_again, agent_again)  # once is enough
    assert tuple(vars(env_again.observations.policy)) == tuple(vars(policy))


def test_what_does_not_fit_is_refused_before_the_simulator_starts(priors, configs, tmp_path):
    with pytest.raises(ValueError, match="need a --motion_prior"):
        configure_prior(*configs("--unfreeze_after", 3))
    with pytest.raises(ValueError, match="trained at 30 fps, but the policy acts at 50 Hz"):
        configure_prior(*configs("--motion_prior", priors / "slow.safetensors"))
    with pytest.raises(ValueError, match=r"needs \['base_lin_vel'\]"):
        configure_prior(
            *configs("--motion_prior", priors / "one.safetensors", task="Tracking-Flat-G1-Wo-State-Estimation-v0")
        )
    with pytest.raises(ValueError, match="--prior_history is 0"):
        PriorSettings(history=0)
    args, env_cfg, agent_cfg = configs("--motion_prior", priors / "one.safetensors")
    configure_prior(args, env_cfg, agent_cfg)
    keep_prior(tmp_path, agent_cfg)
    args, env_cfg, agent_cfg = configs("--motion_prior", priors / "two.safetensors")
    configure_prior(args, env_cfg, agent_cfg)
    with pytest.raises(ValueError, match="was trained with the prior"):
        adopt_prior(tmp_path / "model_0.pt", env_cfg, agent_cfg)
