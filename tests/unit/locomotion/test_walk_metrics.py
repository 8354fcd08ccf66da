"""How well a robot walks, pinned by numbers worked out by hand."""

import math

import pytest
import torch

from whole_body_tracking.locomotion import metrics
from whole_body_tracking.locomotion.falls import has_fallen
from whole_body_tracking.locomotion.pose_set import load_pose_set
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

UP = torch.ones(4, 1, dtype=torch.bool)


def test_heading_and_velocity_in_the_heading_frame():
    half = math.pi / 4.0  # turned left by 90 degrees: world y is forward
    quat = torch.tensor([0.0, 0.0, math.sin(half), math.cos(half)])
    heading = metrics.heading(quat)
    assert heading.item() == pytest.approx(math.pi / 2.0)
    velocity = metrics.in_heading_frame(torch.tensor([-0.2, 0.5, 9.0]), heading)
    assert velocity.tolist() == pytest.approx([0.5, 0.2])


def test_falling_is_low_or_tilted_or_not_finite():
    height = torch.tensor([0.76, 0.49, 0.76, math.nan, 0.76])
    up = torch.tensor([1.0, 1.0, math.cos(0.81), 1.0, math.nan])
    assert has_fallen(height, up).tolist() == [False, True, True, True, True]


def test_a_walk_ends_with_its_first_fall():
    fallen = torch.tensor([[False], [True], [False], [False]])
    assert metrics.running_until_fall(fallen)[:, 0].tolist() == [True, False, False, False]


def test_falls_per_minute_counts_the_time_that_robots_were_up():
    # Two falls in 10 + 4 + 6 = 20 s: 6 a minute.
    assert metrics.falls_per_minute(torch.tensor([False, True, True]), torch.tensor([10.0, 4.0, 6.0])) == 6.0
    assert metrics.falls_per_minute(torch.tensor([True]), torch.tensor([0.0])) == math.inf


def test_velocity_error_of_means_over_a_window():
    command = torch.tensor([[0.5, 0.0]])
    velocity = torch.tensor([[9.0, 9.0], [0.3, 0.1], [0.7, -0.1], [0.5, 0.4]])[:, None]
    # After one step to settle, windows of two: means (0.5, 0) and (0.6, 0.15); errors 0 and sqrt(0.01 + 0.0225).
    error = metrics.velocity_error(velocity, command, UP, window=2, settle=1)
    assert error.item() == pytest.approx(math.sqrt(0.0325) / 2.0, abs=1e-6)
    # At each instant: sqrt(0.04 + 0.01) twice, and 0.4.
    instant = metrics.velocity_error(velocity, command, UP, window=1, settle=1)
    assert instant.item() == pytest.approx((2.0 * math.sqrt(0.05) + 0.4) / 3.0, abs=1e-6)


def test_velocity_after_a_fall_does_not_count():
    running = torch.tensor([[True], [True], [True], [False]])
    velocity = torch.tensor([[0.0, 0.0], [0.3, 0.0], [0.7, 0.0], [math.nan, math.nan]])[:, None]
    error = metrics.velocity_error(velocity, torch.tensor([[0.4, 0.0]]), running, window=2, settle=1)
    assert error.item() == pytest.approx(0.1)  # one window, of mean 0.5
    assert metrics.velocity_error(velocity, torch.zeros(1, 2), running, window=4, settle=1).isnan().all()


def test_heading_error_takes_the_short_way():
    heading, command = torch.tensor([[0.0], [3.0], [-3.0], [3.1]]), torch.tensor([3.1])
    # After one step: 0.1, then 2 pi - 6.1, then 0.
    error = metrics.heading_error(heading, command, UP, settle=1)
    assert error.item() == pytest.approx((0.1 + 2.0 * math.pi - 6.1) / 3.0, abs=1e-6)


def feet(height: float, lin_vel: list[float], ang_vel: list[float]) -> list[torch.Tensor]:
    """Both feet of the G1 level, their soles at a height, with one velocity; one step, one rollout."""
    pos = torch.tensor([0.0, 0.0, height - G1.sole_height]).expand(1, 1, 2, 3)
    quat = torch.tensor([0.0, 0.0, 0.0, 1.0]).expand(1, 1, 2, 4)
    return [pos, quat, torch.tensor(lin_vel).expand(1, 1, 2, 3), torch.tensor(ang_vel).expand(1, 1, 2, 3)]


def slip(*state: torch.Tensor) -> float:
    return metrics.foot_slip(G1, G1.foot_body_names, *state, torch.ones(1, 1, dtype=torch.bool)).item()


def test_slip_is_the_horizontal_speed_of_a_sole_on_the_ground():
    assert slip(*feet(0.0, [0.3, 0.4, 2.0], [0.0] * 3)) == pytest.approx(0.5)
    assert math.isnan(slip(*feet(0.1, [0.3, 0.4, 0.0], [0.0] * 3)))


def test_a_foot_that_pitches_about_its_ankle_slips_by_the_arm_to_the_sole():
    # omega (0, 2, 0) x arm (x, y, z): its horizontal part is 2 z along x, whatever x and y are.
    assert slip(*feet(0.0, [0.0] * 3, [0.0, 2.0, 0.0])) == pytest.approx(-2.0 * G1.sole_height, abs=2e-3)


def test_the_nearest_pose_counts():
    poses = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    joints = torch.tensor([[[0.3, 0.4]], [[1.0, 0.0]], [[1.0, 1.2]], [[9.0, 9.0]]])
    running = torch.tensor([[True], [True], [True], [False]])
    # Distances 0.5, 1 and 0.2, each over sqrt(2) joints.
    expected = (0.5 + 1.0 + 0.2) / 3.0 / math.sqrt(2.0)
    assert metrics.mean_pose_distance(joints, poses, running).item() == pytest.approx(expected, abs=1e-6)


def test_the_shipped_clips_are_poses_to_compare_with_in_any_order_of_joints():
    poses = load_pose_set([], G1)
    assert set(poses.clips) == {"walk", "squat"} and poses.poses.shape[1] == 29
    turned = list(reversed(poses.joint_names))
    assert torch.equal(poses.ordered(turned), poses.poses.flip(-1))
    with pytest.raises(FileNotFoundError):
        load_pose_set(["no_such_clip.npz"], G1)
