"""PPO from a supervised policy: what is fixed, what pulls back, and what a continued run keeps."""

import copy
from types import SimpleNamespace

import pytest
import torch
from rsl_rl.models import MLPModel
from rsl_rl.storage import RolloutStorage
from tensordict import TensorDict

from whole_body_tracking.rl.sft.fine_tuning import FineTunedPPO, apply_settings, prepare_fine_tuning
from whole_body_tracking.rl.sft.keys import FINE_TUNING_KEY, SUPERVISED_KEY
from whole_body_tracking.tasks.tracking.config.g1.agents.rsl_rl_ppo_cfg import G1TrackingPPORunnerCfg

pytestmark = [pytest.mark.unit, pytest.mark.integration]

NUM_ENVS, NUM_STEPS, WIDTH, NUM_ACTIONS = 16, 8, 5, 2
GROUPS = {"actor": ["policy"], "critic": ["policy"]}
SETTINGS = {
    "value_warmup": 1, "warmup_learning_rate": 1e-2, "init_std": 0.1, "learning_rate": 1e-2, "anchor": 0.0,
    "anchor_iterations": 4, "entropy_coef": 0.0,
}  # fmt: skip


def observe(scale: float = 1.0) -> TensorDict:
    return TensorDict({"policy": scale * torch.randn(NUM_ENVS, WIDTH)}, batch_size=NUM_ENVS)


def make_algorithm(**changes) -> FineTunedPPO:
    torch.manual_seed(0)
    obs = observe()
    gaussian = {"class_name": "GaussianDistribution", "init_std": 0.5}
    actor = MLPModel(
        obs, GROUPS, "actor", NUM_ACTIONS, hidden_dims=[8], obs_normalization=True, distribution_cfg=gaussian
    )
    critic = MLPModel(obs, GROUPS, "critic", 1, hidden_dims=[8], obs_normalization=True)
    storage = RolloutStorage("rl", NUM_ENVS, NUM_STEPS, obs, [NUM_ACTIONS], "cpu")
    algorithm = FineTunedPPO(actor, critic, storage, num_learning_epochs=2, num_mini_batches=2, schedule="fixed")
    algorithm.settings, algorithm._action_sha256 = SETTINGS | changes, None
    motion = SimpleNamespace(sampler=None, cfg=SimpleNamespace(transfer=False))
    manager = SimpleNamespace(get_term=lambda name: motion, active_terms=["motion"])
    endings = SimpleNamespace(terminated=torch.zeros(NUM_ENVS, dtype=torch.bool))
    algorithm.take_sampler(
        SimpleNamespace(unwrapped=SimpleNamespace(command_manager=manager, termination_manager=endings))
    )
    return algorithm


def started(**changes) -> FineTunedPPO:
    """An algorithm that has loaded a supervised policy."""
    algorithm = make_algorithm(**changes)
    content = {"actor_state_dict": copy.deepcopy(algorithm.actor.state_dict()), "iter": 3, SUPERVISED_KEY: {}}
    assert not algorithm.load(content, None, True)
    algorithm.train_mode()
    return algorithm


def iterate(algorithm: FineTunedPPO, scale: float = 1.0) -> dict[str, float]:
    """Collect, with a reward for the sum of the actions, and update."""
    obs = observe(scale)
    with torch.inference_mode():
        for _ in range(NUM_STEPS):
            actions = algorithm.act(obs)
            obs = observe(scale)
            extras = {"time_outs": torch.zeros(NUM_ENVS, dtype=torch.bool)}
            algorithm.process_env_step(obs, actions.sum(-1), torch.zeros(NUM_ENVS, dtype=torch.long), extras)
        algorithm.compute_returns(obs)
    return algorithm.update()


def state(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def distance(algorithm: FineTunedPPO) -> float:
    """Root mean square difference of the policy's actions from the student's."""
    obs = observe()
    with torch.no_grad():
        return (algorithm.actor(obs) - algorithm._student(obs)).square().mean().sqrt().item()


def test_the_critic_learns_alone_first_and_then_the_policy():
    algorithm = started()
    assert algorithm.actor.distribution.std_param.tolist() == pytest.approx([0.1, 0.1])
    actor, critic = state(algorithm.actor), state(algorithm.critic)
    iterate(algorithm)
    assert all(torch.equal(value, actor[name]) for name, value in algorithm.actor.state_dict().items())
    assert not torch.equal(algorithm.critic.state_dict()["mlp.0.weight"], critic["mlp.0.weight"])
    assert algorithm.optimizer.param_groups[0]["lr"] == SETTINGS["warmup_learning_rate"]
    iterate(algorithm)
    assert not torch.equal(algorithm.actor.state_dict()["mlp.0.weight"], actor["mlp.0.weight"])
    assert algorithm.use_clipped_value_loss  # switched off for the warm-up alone


def test_statistics_of_observations_stay_those_of_the_student():
    """Noisy observations, ten times as wide, would make the policy ten times as weak."""
    algorithm = started(value_warmup=0)
    before = state(algorithm.actor.obs_normalizer)
    for _ in range(3):
        algorithm.train_mode()
        iterate(algorithm, scale=10.0)
    assert all(torch.equal(value, before[name]) for name, value in algorithm.actor.obs_normalizer.state_dict().items())


def test_the_anchor_holds_the_policy_to_the_student():
    moved = []
    for anchor in (0.0, 1.0, 1e3):
        algorithm = started(value_warmup=0, anchor=anchor, anchor_iterations=1000)
        for _ in range(5):
            iterate(algorithm)
        moved.append(distance(algorithm))
    assert moved[0] > 1.5 * moved[1] > 1.5 * moved[2] > 0.0


def test_the_anchor_is_the_gradient_of_the_divergence():
    """Against autograd on KL = sum (m - m')^2 / (2 s^2), for a policy that has left the student."""
    algorithm = started(value_warmup=0, anchor=2.0, anchor_iterations=1000)
    with torch.no_grad():
        algorithm.actor.mlp[0].weight.add_(0.1)
    obs, actor = observe(), algorithm.actor
    off = actor(obs) - algorithm._student(obs)
    (2.0 * (off.square() / (2.0 * 0.1**2)).sum(-1).mean()).backward()
    wanted = actor.mlp[0].weight.grad.clone()
    actor.zero_grad()
    algorithm._divergences = []
    hook = actor.register_forward_hook(algorithm._pull, with_kwargs=True)
    actor(obs, stochastic_output=True)
    (0.0 * actor.get_output_log_prob(torch.zeros(NUM_ENVS, NUM_ACTIONS)).sum()).backward()
    hook.remove()
    torch.testing.assert_close(actor.mlp[0].weight.grad, wanted, rtol=1e-4, atol=1e-6)


def test_the_anchor_lets_go():
    algorithm = started(value_warmup=0, anchor=0.4, anchor_iterations=4)
    weights = []
    for _ in range(6):
        weights.append(algorithm.anchor)
        iterate(algorithm)
    assert weights == pytest.approx([0.4, 0.3, 0.2, 0.1, 0.0, 0.0])


def test_a_continued_run_keeps_student_and_progress():
    algorithm = started(value_warmup=1)
    for _ in range(3):
        iterate(algorithm)
    content = copy.deepcopy(algorithm.save()) | {"iter": 2}
    again = make_algorithm()
    assert again.load(content, None, True)
    assert again._num_updates == 2 and again._critic_only == 0
    student = algorithm._student.state_dict()
    assert all(torch.equal(value, student[name]) for name, value in again._student.state_dict().items())
    assert not again._student.training


def test_a_policy_about_other_targets_is_refused():
    algorithm = make_algorithm()
    algorithm._action_sha256 = "a"
    content = {"actor_state_dict": algorithm.actor.state_dict(), "iter": 0, SUPERVISED_KEY: {"action_sha256": "b"}}
    with pytest.raises(ValueError, match="other joint targets"):
        algorithm.load(content, None, True)


# -- the command line ------------------------------------------------------------------------------------------------


def arguments(**changes) -> SimpleNamespace:
    return SimpleNamespace(**{"load_sft_pretrain": None, "checkpoint": None} | changes)


def stored(path, **content):
    torch.save({"actor_state_dict": {}, "iter": 0} | content, path)
    return str(path)


def test_settings_are_on_with_a_supervised_checkpoint_alone(tmp_path):
    agent_cfg = G1TrackingPPORunnerCfg()
    ordinary = stored(tmp_path / "model_0.pt")
    prepare_fine_tuning(arguments(checkpoint=ordinary), agent_cfg)
    assert agent_cfg.algorithm.learning_rate == 1e-3 and "TrackingPPO" in agent_cfg.algorithm.class_name
    layers = {f"mlp.{2 * layer}.weight": torch.zeros(width, 4) for layer, width in enumerate((64, 32, 29))}
    student = {"actor_state_dict": layers, SUPERVISED_KEY: {}}
    args = arguments(load_sft_pretrain=stored(tmp_path / "model_1.pt", **student))
    prepare_fine_tuning(args, agent_cfg)
    assert args.checkpoint == str(tmp_path / "model_1.pt")
    algorithm = agent_cfg.algorithm
    assert "FineTunedPPO" in algorithm.class_name and algorithm.schedule == "fixed"
    assert algorithm.learning_rate == agent_cfg.fine_tuning.learning_rate
    assert agent_cfg.actor.hidden_dims == [64, 32] and agent_cfg.critic.hidden_dims == [512, 256, 128]


def test_a_run_that_fine_tunes_goes_on_fine_tuning(tmp_path):
    agent_cfg = G1TrackingPPORunnerCfg()
    prepare_fine_tuning(arguments(checkpoint=stored(tmp_path / "model_5.pt", **{FINE_TUNING_KEY: {}})), agent_cfg)
    assert "FineTunedPPO" in agent_cfg.algorithm.class_name


def test_other_checkpoints_are_refused(tmp_path):
    ordinary = stored(tmp_path / "model_0.pt")
    with pytest.raises(ValueError, match="was not trained by train_sft.py.*--checkpoint"):
        prepare_fine_tuning(arguments(load_sft_pretrain=ordinary), G1TrackingPPORunnerCfg())
    with pytest.raises(FileNotFoundError, match="nowhere.pt does not exist"):
        prepare_fine_tuning(arguments(load_sft_pretrain=str(tmp_path / "nowhere.pt")), G1TrackingPPORunnerCfg())
    with pytest.raises(ValueError, match="either"):
        prepare_fine_tuning(arguments(load_sft_pretrain=ordinary, checkpoint=ordinary), G1TrackingPPORunnerCfg())


def test_settings_out_of_range_are_refused():
    agent_cfg = G1TrackingPPORunnerCfg()
    agent_cfg.fine_tuning.init_std = 0.0
    with pytest.raises(ValueError, match="init_std is 0.0, expected more than 0"):
        apply_settings(agent_cfg)
