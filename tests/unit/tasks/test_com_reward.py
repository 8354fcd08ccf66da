"""``presets=reward_com``: one on the reference whatever the masses, and the kernel's number off it."""

import math

import pytest
import torch
from fake_env import NUM_ENVS, FakeEnv

from whole_body_tracking.motion.geometry.kinematics import forward_kinematics
from whole_body_tracking.motion.geometry.rotations import quat_exp, quat_mul
from whole_body_tracking.robots import G1
from whole_body_tracking.tasks.tracking.mdp.center_of_mass import (
    _centers,
    track_com_lin_vel_exp,
    track_com_pos_exp,
)

pytestmark = pytest.mark.unit

DT = 0.001


def body_poses(motion, time: float) -> torch.Tensor:
    """Poses of all bodies on the reference's velocities after a time [s], shape [num_envs, num_bodies, 7]."""
    ref, root = motion.reference, motion.root_idx
    root_pos = ref.body_pos_w[:, root] + time * ref.body_lin_vel_w[:, root]
    quat = quat_mul(quat_exp(time * ref.body_ang_vel_w[:, root]), ref.body_quat_w[:, root])
    return torch.cat(forward_kinematics(G1, root_pos, quat, ref.joint_pos + time * ref.joint_vel), -1)


@pytest.fixture(scope="module")
def env():
    """The robot is on its reference, with other masses in each env; frame 60 of the squat goes down."""
    env = FakeEnv("reward_com")
    env.motion.set_start(torch.arange(NUM_ENVS), torch.zeros(NUM_ENVS).long(), torch.full((NUM_ENVS,), 60))
    env.motion.frames[:] = 60
    torch.manual_seed(0)
    data = env.scene["robot"].data
    data.body_mass.torch = 0.5 + torch.rand(NUM_ENVS, G1.num_bodies)
    data.body_com_pos_b.torch = 0.1 * torch.rand(NUM_ENVS, G1.num_bodies, 3)
    data.body_link_pose_w.torch = body_poses(env.motion, 0.0)
    return env


def moved(env, shift: list[float], velocity: list[float]) -> tuple[list[float], list[float]]:
    """Both rewards with all bodies moved and faster by the same."""
    data, pose = env.scene["robot"].data, body_poses(env.motion, 0.0)
    pose[..., :3] += torch.tensor(shift)
    data.body_link_pose_w.torch = pose
    data.body_link_vel_w.torch = torch.zeros(NUM_ENVS, G1.num_bodies, 6)
    data.body_link_vel_w.torch[..., :3] = torch.tensor(velocity)
    env.motion.cache.invalidate()
    params = {"command_name": "motion"}
    return track_com_pos_exp(env, **params, std=0.1).tolist(), track_com_lin_vel_exp(env, **params, std=0.5).tolist()


def test_height_counts_and_place_does_not(env):
    assert moved(env, [0.0, 0.0, 0.0], [0.0] * 3)[0] == pytest.approx([1.0] * NUM_ENVS, abs=1e-4)
    assert moved(env, [3.0, -1.0, 0.0], [0.0] * 3)[0] == pytest.approx([1.0] * NUM_ENVS, abs=1e-4)
    assert moved(env, [0.0, 0.0, 0.1], [0.0] * 3)[0] == pytest.approx([math.exp(-1.0)] * NUM_ENVS, rel=1e-3)


def test_velocity_is_how_the_centre_moves_along_the_reference(env):
    ref, _ = env.motion.cached_this_step(_centers)
    data = env.scene["robot"].data
    found = []
    for time in (-DT, DT):
        data.body_link_pose_w.torch = body_poses(env.motion, time)
        env.motion.cache.invalidate()
        found.append(env.motion.cached_this_step(_centers)[1].pos_w)
    expected = (found[1] - found[0]) / (2.0 * DT)
    assert expected[0].norm() > 0.02
    torch.testing.assert_close(ref.lin_vel_w, expected, atol=2e-3, rtol=0.0)
    # A centre that is 0.5 m/s faster than the reference's: exp(-0.5^2 / 0.5^2).
    velocity = (ref.lin_vel_w[0] + torch.tensor([0.5, 0.0, 0.0])).tolist()
    assert moved(env, [0.0] * 3, velocity)[1][0] == pytest.approx(math.exp(-1.0), rel=1e-2)


def test_a_state_that_is_not_finite_earns_nothing(env):
    assert moved(env, [0.0] * 3, [math.nan] * 3)[1] == [0.0] * NUM_ENVS
