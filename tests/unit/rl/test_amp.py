"""AMP without a simulator: what the discriminator learns, what the policy earns, and what a checkpoint keeps."""

from types import SimpleNamespace

import pytest
import torch
from isaaclab_tasks.utils import resolve_task_config
from tensordict import TensorDict

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.motion.defaults import DEFAULT_WALK_FILE
from whole_body_tracking.motion.sources.motion_entries import resolve_entries
from whole_body_tracking.priors.normalizer import Normalizer
from whole_body_tracking.priors.state import StateLayout, clip_poses
from whole_body_tracking.rl.amp.discriminator import Discriminator, discriminator_loss, style_reward
from whole_body_tracking.rl.amp.expert import ExpertWindows
from whole_body_tracking.rl.amp.ppo import AMP_KEY, AmpPPO
from whole_body_tracking.rl.amp.settings import check_amp, uses_amp
from whole_body_tracking.robots import G1
from whole_body_tracking.tasks.locomotion.config.g1.agents.rsl_rl_ppo_cfg import G1VelocityPPORunnerCfg
from whole_body_tracking.tasks.locomotion.config.g1.velocity_g1_env_cfg import G1VelocityEnvCfg
from whole_body_tracking.tasks.tracking.amp_cfg import AMP_CLASS

pytestmark = pytest.mark.unit

NUM_ENVS, NUM_STEPS, STEP_DT = 8, 12, 0.02
WALKERS = 2
"""Envs that play the clip; the others twitch."""


class Twitching:
    """A robot whose first envs walk as the clip does, while the joints of the others jump."""

    joint_names = list(G1.joint_names)

    def __init__(self):
        layout = StateLayout.of_robot(G1, 1.0 / STEP_DT)
        clip = resolve_entries([str(DEFAULT_WALK_FILE)])[0].load()
        self._poses = [value.float() for value in clip_poses(clip, layout)]
        self._frame, self.data = 0, SimpleNamespace()
        self.advance()

    def advance(self) -> None:
        self._frame += 1
        pos, quat, joints = (value[self._frame].repeat(NUM_ENVS, 1) for value in self._poses)
        joints[WALKERS:] += 0.2 * torch.randn(NUM_ENVS - WALKERS, G1.num_joints)
        self.data.root_link_pose_w = SimpleNamespace(torch=torch.cat((pos, quat), dim=-1))
        self.data.joint_pos = SimpleNamespace(torch=joints)


def observe() -> TensorDict:
    return TensorDict({"policy": torch.randn(NUM_ENVS, 3)}, batch_size=NUM_ENVS)


def make_env(robot: Twitching) -> SimpleNamespace:
    plain = SimpleNamespace(
        cfg=SimpleNamespace(robot_name="g1", commands=None), step_dt=STEP_DT, device="cpu", scene={"robot": robot}
    )
    return SimpleNamespace(unwrapped=plain, num_envs=NUM_ENVS, num_actions=2)


def make_algorithm(robot: Twitching, **amp) -> AmpPPO:
    torch.manual_seed(0)
    model = {"class_name": "MLPModel", "hidden_dims": [8]}
    noise = {"class_name": "GaussianDistribution", "init_std": 0.5}
    settings = {"hidden_dims": [32], "learning_rate": 1e-3, "batch_size": 64} | amp
    cfg = {
        "algorithm": {"class_name": AMP_CLASS, "amp": settings, "num_learning_epochs": 1, "num_mini_batches": 1},
        "actor": model | {"distribution_cfg": noise},
        "critic": dict(model),
        "obs_groups": {"actor": ["policy"], "critic": ["policy"]},
        "num_steps_per_env": NUM_STEPS,
        "multi_gpu": None,
    }
    return AmpPPO.construct_algorithm(observe(), make_env(robot), cfg, "cpu")


def collect(algorithm: AmpPPO, robot: Twitching, ended: int | None = None) -> torch.Tensor:
    """A rollout with task rewards of 1; an env ends in the middle. Returns what PPO was given as rewards."""
    with torch.inference_mode():
        for step in range(NUM_STEPS):
            algorithm.act(observe())
            robot.advance()
            dones = torch.zeros(NUM_ENVS, dtype=torch.long)
            if ended is not None and step == NUM_STEPS // 2:
                dones[ended] = 1
            algorithm.process_env_step(observe(), torch.ones(NUM_ENVS), dones, {})
        rewards = algorithm.storage.rewards.squeeze(-1).clone()
        algorithm.compute_returns(observe())
    return rewards


@pytest.fixture(scope="module")
def trained():
    """Algorithm, robot, what it logged at the first and at the last of some updates, and the last rewards."""
    robot = Twitching()
    algorithm = make_algorithm(robot)
    logged = []
    for _ in range(6):
        rewards = collect(algorithm, robot)
        logged.append(algorithm.update())
    return algorithm, robot, logged, rewards


def test_after_a_few_updates_clips_score_above_the_policy(trained):
    algorithm, _, logged, _ = trained
    first, last = logged[0], logged[-1]
    assert last["amp_score_expert"] > last["amp_score_policy"] + 0.5
    assert last["amp_loss"] < first["amp_loss"]
    assert last["amp_accuracy_expert"] > 0.6 and 0.6 < last["amp_accuracy_policy"] < 1.0  # two of eight do walk
    with torch.no_grad():
        expert = algorithm.discriminator(algorithm.expert.sample(200)).mean()
        policy = algorithm.discriminator(algorithm._windows[:, WALKERS:].flatten(0, 1)).mean()
    assert expert > policy + 0.5


def test_envs_that_walk_as_the_clip_earn_more(trained):
    algorithm, _, _, rewards = trained
    style = (rewards - 1.0) / (algorithm.amp.style_weight * STEP_DT)
    assert style.min() > -1e-5 and style.max() <= 1.0 + 1e-5
    assert style[:, :WALKERS].mean() > style[:, WALKERS:].mean() + 0.2


def test_an_episode_earns_style_once_it_has_a_whole_window():
    robot = Twitching()
    algorithm = make_algorithm(robot, task_weight=0.5, style_weight=4.0)
    for parameter in algorithm.discriminator.network[-1].parameters():
        torch.nn.init.zeros_(parameter)  # score 0: style 1 - 1/4
    rewards = collect(algorithm, robot, ended=3)
    expected = torch.full((NUM_STEPS, NUM_ENVS), 0.5 + 4.0 * STEP_DT * 0.75)
    expected[:2] = 0.5  # two states need three poses
    expected[NUM_STEPS // 2 : NUM_STEPS // 2 + 2, 3] = 0.5  # env 3 begins anew
    torch.testing.assert_close(rewards, expected)


def test_a_checkpoint_continues_the_discriminator(trained):
    algorithm, robot, _, _ = trained
    content = algorithm.save()
    other = make_algorithm(robot)
    assert other.load(content, None, True)
    for name, value in algorithm.discriminator.state_dict().items():
        assert torch.equal(value, other.discriminator.state_dict()[name]), name
    moments = other._discriminator_optimizer.state_dict()["state"]
    assert moments[0]["step"] == algorithm._discriminator_optimizer.state_dict()["state"][0]["step"]
    with pytest.raises(ValueError, match=r"of another size.*hidden_dims"):
        make_algorithm(robot, hidden_dims=[16]).load(content, None, True)
    content[AMP_KEY] = content[AMP_KEY] | {"clips": {"dance": "0"}}
    with pytest.raises(ValueError, match=r"knows the clips \['dance'\].*\['walk'\]"):
        make_algorithm(robot).load(content, None, True)
    del content[AMP_KEY]
    fresh = make_algorithm(robot)
    before = {name: value.clone() for name, value in fresh.discriminator.state_dict().items()}
    assert fresh.load(content, None, True)
    assert all(torch.equal(value, before[name]) for name, value in fresh.discriminator.state_dict().items())


def test_loss_by_hand():
    """D(x) = 2 x, one value a window: clips x = 1, policy x = -1 and one that does not count."""
    layout = SimpleNamespace(dim=1, slices={})
    discriminator = Discriminator(1, Normalizer(layout), [])
    with torch.no_grad():
        discriminator.network[0].weight.fill_(2.0)
        discriminator.network[0].bias.zero_()
    expert = torch.tensor([[[1.0]], [[1.0]]])
    policy, counted = torch.tensor([[[-1.0]], [[50.0]]]), torch.tensor([1.0, 0.0])
    loss, logged = discriminator_loss(discriminator, expert, policy, counted, gradient_penalty=3.0)
    # 1/2 (2 - 1)^2 + 1/2 (-2 + 1)^2 + 3/2 2^2 = 0.5 + 0.5 + 6
    assert loss.item() == pytest.approx(7.0)
    assert logged["amp_accuracy_expert"] == 1.0 and logged["amp_accuracy_policy"] == 1.0
    assert style_reward(torch.tensor([1.0, 0.0, -1.0, 3.5])).tolist() == [1.0, 0.75, 0.0, 0.0]


def test_no_window_crosses_from_clip_to_clip(tmp_path):
    entry = resolve_entries([str(DEFAULT_WALK_FILE)])[0]
    layout = StateLayout.of_robot(G1, entry.header().fps)
    one, two = (ExpertWindows([entry] * count, layout, 5, "cpu") for count in (1, 2))
    assert len(two) == 2 * len(one) == 2 * (entry.header().num_frames - 1 - 4)
    first_of_second = two.states[two._starts[len(one)]]
    torch.testing.assert_close(first_of_second, one.states[0])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"motion_files": ["none.npz"]}, "none.npz"),
        ({"motion_files": "walk.npz"}, r"is the text 'walk.npz', expected a list"),
        ({"num_frames": 1}, "num_frames is 1, expected at least 2"),
        ({"num_frames": 10_000}, "needs more than amp.num_frames 10000"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"gradient_penalty": -1.0}, "gradient_penalty is -1.0, expected at least 0"),
    ],
)
def test_bad_settings_are_refused_before_the_simulator_starts(changes, said):
    env_cfg, agent_cfg = G1VelocityEnvCfg(), G1VelocityPPORunnerCfg()
    for name, value in changes.items():
        setattr(agent_cfg.algorithm.amp, name, value)
    check_amp(env_cfg, agent_cfg)  # nothing is checked for plain PPO
    agent_cfg.algorithm.class_name = AMP_CLASS
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        check_amp(env_cfg, agent_cfg)


def test_clips_at_a_rate_that_does_not_fit_are_refused():
    env_cfg, agent_cfg = G1VelocityEnvCfg(), G1VelocityPPORunnerCfg()
    agent_cfg.algorithm.class_name = AMP_CLASS
    check_amp(env_cfg, agent_cfg)
    env_cfg.decimation = 3
    with pytest.raises(ValueError, match=r"50 fps, which does not divide the control rate of 66.6667 Hz"):
        check_amp(env_cfg, agent_cfg)


def test_the_class_is_the_one_that_overrides_name():
    values = (f"class_name={AMP_CLASS}", "amp.num_frames=4", "amp.motion_files=['a.npz','b.npz']")
    agent_cfg = resolve_task_config(
        "Velocity-Flat-G1-v0", "rsl_rl_cfg_entry_point", overrides=[f"agent.algorithm.{value}" for value in values]
    )[1]
    amp = agent_cfg.algorithm.amp
    assert uses_amp(agent_cfg) and amp.num_frames == 4 and list(amp.motion_files) == ["a.npz", "b.npz"]
    assert f"{AmpPPO.__module__}:{AmpPPO.__qualname__}" == AMP_CLASS
