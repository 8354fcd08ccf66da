"""Mirrored training data against the task's own observations of a mirrored robot on the mirrored clip."""

from types import SimpleNamespace

import pytest
import torch
from fake_env import NUM_ENVS, FakeEnv
from isaaclab.managers import ObservationTermCfg
from tensordict import TensorDict

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.motion.conversion.mirror import mirrored
from whole_body_tracking.rl.learning.symmetry import mirrors_of, require_mirror_images, with_mirror_images
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.symmetry import mirrored_indices, mirrored_joints

pytestmark = pytest.mark.unit

VECTOR, AXIAL = torch.tensor([1.0, -1.0, 1.0]), torch.tensor([-1.0, 1.0, -1.0])
QUATERNION = torch.tensor([-1.0, 1.0, -1.0, 1.0])
FRAME = 70


def observe(env: FakeEnv) -> dict[str, dict[str, torch.Tensor]]:
    """Every observation term of the task, without noise."""
    groups = {"policy": env.cfg.observations.policy, "critic": env.cfg.observations.critic}
    return {
        name: {
            key: term.func(env, **term.params)
            for key, term in vars(group).items()
            if isinstance(term, ObservationTermCfg)
        }
        for name, group in groups.items()
    }


@pytest.fixture(scope="module")
def env(tmp_path_factory) -> FakeEnv:
    """Env 0 tracks a clip, env 1 its mirror image, and the robot of env 1 is the mirror image of that of env 0."""
    folder = tmp_path_factory.mktemp("clips")
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    files = [clip.save(folder / "a.npz"), mirrored(clip, "g1").save(folder / "b.npz")]
    env = FakeEnv("motion_preview", task="Tracking-Flat-G1-Multi-v0", motion_files=[str(path) for path in files])
    env.motion.set_start(torch.arange(NUM_ENVS), torch.tensor([0, 1, 0, 1]), torch.full((NUM_ENVS,), FRAME))
    pose_robot(env)
    groups = observe(env)
    env.observation_manager = SimpleNamespace(
        active_terms={name: list(terms) for name, terms in groups.items()},
        group_obs_term_dim={name: [(v.shape[1],) for v in terms.values()] for name, terms in groups.items()},
    )
    env.unwrapped = env
    return env


def pose_robot(env: FakeEnv) -> None:
    torch.manual_seed(0)
    data, robot = env.scene["robot"].data, env.scene["robot"]
    joints, bodies = mirrored_joints(G1, robot.joint_names), mirrored_indices(robot.body_names)
    signs = torch.tensor(joints.signs, dtype=torch.float32)
    for values in (data.joint_pos.torch, data.joint_vel.torch, env.action_manager.action):
        values[0] = 0.3 * torch.randn(29)
        values[1] = values[0, joints.indices] * signs
    pose, velocity = data.body_link_pose_w.torch, data.body_link_vel_w.torch
    pose[0, :, :3] = torch.randn(G1.num_bodies, 3)
    pose[0, :, 3:] = torch.nn.functional.normalize(torch.randn(G1.num_bodies, 4), dim=-1)
    pose[1, :, :3], pose[1, :, 3:] = pose[0, bodies, :3] * VECTOR, pose[0, bodies, 3:] * QUATERNION
    velocity[0] = torch.randn(G1.num_bodies, 6)
    velocity[1] = velocity[0, bodies] * torch.cat((VECTOR, AXIAL))
    data.root_link_ang_vel_b.torch[0] = torch.randn(3)
    data.root_link_ang_vel_b.torch[1] = data.root_link_ang_vel_b.torch[0] * AXIAL
    env.motion.cache.invalidate()


def test_the_mirrored_robot_observes_the_mirror_image_of_every_term(env):
    mirrors = mirrors_of(env)
    for name, terms in observe(env).items():
        image = mirrors[name](torch.cat(list(terms.values()), dim=-1)[0]).split([v.shape[1] for v in terms.values()])
        for (key, values), part in zip(terms.items(), image, strict=True):
            assert values[0].abs().max() > 0.0, key
            assert torch.allclose(part, values[1], atol=1e-4), (name, key)


def test_batches_are_doubled_and_two_mirrors_are_none(env):
    sizes = {name: sum(size[0] for size in sizes) for name, sizes in env.observation_manager.group_obs_term_dim.items()}
    obs = TensorDict({name: torch.randn(5, size) for name, size in sizes.items()}, batch_size=[5])
    doubled, actions = with_mirror_images(env, obs, torch.randn(5, 29))
    assert doubled.batch_size == torch.Size([10]) and actions.shape == (10, 29)
    again, actions_again = with_mirror_images(env, doubled[5:], actions[5:])
    for name in sizes:
        assert torch.equal(doubled[name][:5], obs[name])
        assert torch.equal(again[name][5:], obs[name])
    assert torch.equal(actions_again[5:], actions[:5])
    assert with_mirror_images(env, None, None) == (None, None)


def test_a_task_with_an_observation_without_mirror_image_is_refused():
    env = FakeEnv("motion_one_hot", task="Tracking-Flat-G1-Multi-v0")
    with pytest.raises(ValueError, match="the observation policy.motion_identity has no known mirror image"):
        require_mirror_images(env.cfg)


def test_a_history_is_refused(env):
    env.cfg.observations.policy.joint_pos.history_length = 3
    try:
        with pytest.raises(ValueError, match="policy.joint_pos has a history"):
            require_mirror_images(env.cfg)
    finally:
        env.cfg.observations.policy.joint_pos.history_length = 0
