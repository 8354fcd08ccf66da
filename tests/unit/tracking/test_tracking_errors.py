"""Errors and targets of the tracking task, with hand-computed numbers."""

import math

import pytest
import torch
from isaaclab.utils.math import (
    matrix_from_quat,
    quat_apply,
    quat_from_euler_xyz,
    quat_mul,
    subtract_frame_transforms,
)

from whole_body_tracking.tasks.tracking.mdp.rewards import exp_kernel
from whole_body_tracking.tracking.errors import (
    BodyState,
    anchor_relative_targets,
    in_frame,
    projected_gravity_z,
    rotation_columns,
    squared_angle,
    tracking_errors,
)

pytestmark = pytest.mark.unit


def random_bodies(num_envs=7, num_bodies=5, seed=0) -> BodyState:
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    quat = draw(num_envs, num_bodies, 4)
    shape = (num_envs, num_bodies, 3)
    return BodyState(draw(*shape), quat / quat.norm(dim=-1, keepdim=True), draw(*shape), draw(*shape))


def moved(bodies: BodyState, shift: torch.Tensor, yaw: float) -> BodyState:
    """The same bodies after a common translation and a turn about the vertical through the origin."""
    zero = torch.zeros(bodies.pos_w.shape[:2], dtype=torch.float64)
    turn = quat_from_euler_xyz(zero, zero, zero + yaw)
    return BodyState(
        quat_apply(turn, bodies.pos_w) + shift,
        quat_mul(turn, bodies.quat_w),
        quat_apply(turn, bodies.lin_vel_w),
        quat_apply(turn, bodies.ang_vel_w),
    )


def test_errors_are_zero_when_the_robot_is_the_reference():
    bodies = random_bodies()
    for name, value in vars(tracking_errors(bodies, bodies, anchor_idx=2)).items():
        assert value.abs().max() < 1e-10, name
        assert torch.allclose(exp_kernel(value, 0.3), torch.ones_like(value)), name


def test_errors_ignore_a_common_translation_and_yaw():
    ref, robot = random_bodies(seed=1), random_bodies(seed=2)
    shift = torch.tensor([3.0, -2.0, 0.5], dtype=torch.float64)
    before = tracking_errors(ref, robot, anchor_idx=1)
    after = tracking_errors(moved(ref, shift, 1.1), moved(robot, shift, 1.1), anchor_idx=1)
    for name, value in vars(before).items():
        assert torch.allclose(value, vars(after)[name], atol=1e-9), name


def test_relative_errors_ignore_where_the_robot_stands_and_heads():
    ref = random_bodies(seed=3)
    shift = torch.tensor([5.0, 1.0, 0.0], dtype=torch.float64)
    errors = tracking_errors(ref, moved(ref, shift, -0.7), anchor_idx=0)
    assert errors.body_pos.max() < 1e-10
    assert errors.body_ori.max() < 1e-10
    assert errors.anchor_pos.min() > 0.1


def test_a_height_error_survives_re_anchoring():
    ref = random_bodies(seed=4)
    robot = BodyState(ref.pos_w + torch.tensor([0.0, 0.0, 0.2]), ref.quat_w, ref.lin_vel_w, ref.ang_vel_w)
    errors = tracking_errors(ref, robot, anchor_idx=0)
    assert torch.allclose(errors.body_pos, torch.full_like(errors.body_pos, 0.04))  # 0.2^2


def test_targets_of_a_turned_robot():
    """Reference anchor at the origin, a body 1 m ahead; the robot stands at (2, 3, 9) and faces left."""
    unit = torch.tensor([[0.0, 0.0, 0.0, 1.0]])
    left = torch.tensor([[0.0, 0.0, math.sin(math.pi / 4), math.cos(math.pi / 4)]])
    pos, quat = anchor_relative_targets(
        torch.tensor([[[1.0, 0.0, 0.5]]]), unit[:, None], torch.zeros(1, 3), unit, torch.tensor([[2.0, 3.0, 9.0]]), left
    )
    assert torch.allclose(pos, torch.tensor([[[2.0, 4.0, 0.5]]]), atol=1e-6)
    assert torch.allclose(quat[0], left, atol=1e-6)


def test_angle_is_the_same_for_both_signs_of_a_quaternion():
    a = torch.tensor([[0.0, 0.0, 0.0, 1.0]])
    b = torch.tensor([[math.sin(0.15), 0.0, 0.0, math.cos(0.15)]])  # 0.3 rad about x
    assert squared_angle(a, b).item() == pytest.approx(0.09, abs=1e-6)
    assert squared_angle(a, -b).item() == pytest.approx(0.09, abs=1e-6)


@pytest.mark.parametrize(("roll", "expected"), [(0.0, -1.0), (math.pi / 2, 0.0), (math.pi, 1.0)])
def test_projected_gravity(roll, expected):
    quat = quat_from_euler_xyz(torch.tensor([roll]), torch.zeros(1), torch.tensor([0.4]))
    assert projected_gravity_z(quat).item() == pytest.approx(expected, abs=1e-6)


def test_rotation_columns_are_written_row_by_row():
    """A quarter turn about z has the rows (0, -1, 0), (1, 0, 0), (0, 0, 1)."""
    left = torch.tensor([[0.0, 0.0, math.sin(math.pi / 4), math.cos(math.pi / 4)]])
    assert torch.allclose(rotation_columns(left), torch.tensor([[0.0, -1.0, 1.0, 0.0, 0.0, 0.0]]), atol=1e-6)


def test_kernel_at_its_standard_deviation():
    assert exp_kernel(torch.tensor(0.09), 0.3).item() == pytest.approx(math.exp(-1.0))


def test_a_pose_seen_from_a_turned_frame():
    """The frame stands at (2, 3, 1) and faces left (+y); a body one metre to its left lies at (1, 3, 1)."""
    left = torch.tensor([[0.0, 0.0, math.sin(math.pi / 4), math.cos(math.pi / 4)]])
    unit = torch.tensor([[0.0, 0.0, 0.0, 1.0]])
    pos, quat = in_frame(torch.tensor([[1.0, 3.0, 1.0]]), unit, torch.tensor([[2.0, 3.0, 1.0]]), left)
    torch.testing.assert_close(pos, torch.tensor([[0.0, 1.0, 0.0]]))
    torch.testing.assert_close(quat, torch.tensor([[0.0, 0.0, -math.sin(math.pi / 4), math.cos(math.pi / 4)]]))


def test_poses_in_a_frame_are_those_of_isaac_lab():
    bodies, frames = random_bodies(seed=5), random_bodies(seed=6)
    expected = subtract_frame_transforms(frames.pos_w, frames.quat_w, bodies.pos_w, bodies.quat_w)
    found = in_frame(bodies.pos_w, bodies.quat_w, frames.pos_w, frames.quat_w)
    for a, b in zip(expected, found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_rotation_columns_are_those_of_the_matrix():
    quat = random_bodies(seed=7).quat_w
    expected = matrix_from_quat(quat)[..., :2].flatten(-2)
    torch.testing.assert_close(rotation_columns(quat), expected, rtol=1e-12, atol=1e-12)
