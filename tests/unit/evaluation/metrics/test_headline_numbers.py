"""Every headline metric of one recording whose numbers are worked out by hand.

The reference stands still: five bodies around the torso, all upright. The robot is that reference turned by 180 degrees
about the torso and shifted by 0.15 m along y, with the pelvis 0.08 m too high, the left wrist turned by another 60
degrees, one ankle 0.5 m/s and one 0.6 rad/s too fast, and one of two joints 30 degrees off.
"""

import math

import pytest
import torch

from whole_body_tracking.evaluation.metrics.measure import RolloutMetrics, measure
from whole_body_tracking.evaluation.recording import Recording
from whole_body_tracking.robots import G1
from whole_body_tracking.tracking.criteria import TrackingRewards, TrackingTerminations
from whole_body_tracking.tracking.errors import BodyState

pytestmark = pytest.mark.unit

NUM_STEPS = 4
PELVIS, TORSO = G1.body_names[0], G1.anchor_body_name
BODIES = [PELVIS, TORSO, *G1.end_effector_names]
LEFT_ANKLE, RIGHT_ANKLE, LEFT_WRIST = 2, 3, 4
HALF_TURN = torch.tensor([0.0, 0.0, 1.0, 0.0])
"""180 degrees about z, (x, y, z, w)."""
HALF_TURN_AND_60_DEGREES = torch.tensor([0.0, math.sin(math.pi / 6.0), math.cos(math.pi / 6.0), 0.0])
"""60 degrees about x, then 180 about z: (0, 0, 1, 0) * (sin 30, 0, 0, cos 30)."""


def about_x(degrees: float) -> torch.Tensor:
    half = math.radians(degrees) / 2.0
    return torch.tensor([math.sin(half), 0.0, 0.0, math.cos(half)])


def standing() -> BodyState:
    """Torso and pelvis on the vertical, the four ends 0.1 m in front of it."""
    pos_w = torch.tensor([[0.0, 0.0, 0.8], [0.0, 0.0, 1.0]] + [[0.1, 0.0, 0.05]] * 2 + [[0.1, 0.0, 0.9]] * 2)
    quat_w = torch.tensor([0.0, 0.0, 0.0, 1.0]).expand(len(BODIES), 4)
    values = (pos_w, quat_w, torch.zeros(len(BODIES), 3), torch.zeros(len(BODIES), 3))
    return BodyState(*(value[None, None].repeat(NUM_STEPS, 1, 1, 1) for value in values))


def recording_of(robot: BodyState) -> Recording:
    joints = torch.zeros(NUM_STEPS, 1, 2)
    return Recording(
        ref=standing(),
        robot=robot,
        ref_joint_pos=joints,
        joint_pos=joints + torch.tensor([math.radians(30.0), 0.0]),
        joint_vel=joints,
        actions=joints,
        clip_ids=torch.tensor([0]),
        num_steps=torch.tensor([NUM_STEPS]),
        body_names=BODIES,
        anchor_idx=BODIES.index(TORSO),
        step_dt=0.02,
    )


def judge(recording: Recording) -> dict[str, float]:
    measured: RolloutMetrics = measure(recording, TrackingRewards(), TrackingTerminations.of_robot(G1), PELVIS)
    return measured.mean()


@pytest.fixture(scope="module")
def overall() -> dict[str, float]:
    robot = standing()
    robot.pos_w[..., :2] *= -1.0
    robot.pos_w[..., 1] += 0.15
    robot.pos_w[:, :, 0, 2] += 0.08
    robot.quat_w[:] = HALF_TURN
    robot.quat_w[:, :, LEFT_WRIST] = HALF_TURN_AND_60_DEGREES
    robot.lin_vel_w[:, :, LEFT_ANKLE] = torch.tensor([0.3, 0.4, 0.0])
    robot.ang_vel_w[:, :, RIGHT_ANKLE] = torch.tensor([0.0, 0.0, 0.6])
    return judge(recording_of(robot))


@pytest.mark.parametrize(("name", "expected"), [
    # torso 0.15; pelvis sqrt(0.15^2 + 0.08^2) = 0.17; each end goes from (0.1, 0) to (-0.1, 0.15): 0.25
    ("mpkpe", (0.15 + 0.17 + 4 * 0.25) / 6),
    ("r_mpkpe", 0.08 / 6),  # shift and turn do not count, the pelvis' height does
    ("anchor_pos", 0.15),
    ("anchor_ori", 180.0),
    ("body_ori", 60.0 / 6),
    ("body_lin_vel", 0.5 / 6),  # sqrt(0.3^2 + 0.4^2)
    ("body_ang_vel", 0.6 / 6),
    ("joint_rmse", math.sqrt(30.0**2 / 2)),
    ("success", 1.0),
    ("success_lafan1", 1.0),
    ("diverged", 0.0),
    ("completion", 1.0),
    ("survived_s", 4 * 0.02),
])  # fmt: skip
def test_metric(overall, name, expected):
    assert overall[name] == pytest.approx(expected, rel=1e-4)


def test_tracking_reward_is_the_weighted_mean_of_six_kernels(overall):
    terms = {
        "anchor_pos": (0.5, math.exp(-((0.15 / 0.3) ** 2))),
        "anchor_ori": (0.5, math.exp(-((math.pi / 0.4) ** 2))),
        "body_pos": (1.0, math.exp(-(0.08**2 / 6) / 0.3**2)),
        "body_ori": (1.0, math.exp(-((math.pi / 3) ** 2 / 6) / 0.4**2)),
        "body_lin_vel": (1.0, math.exp(-(0.5**2 / 6) / 1.0**2)),
        "body_ang_vel": (1.0, math.exp(-(0.6**2 / 6) / 3.14**2)),
    }
    expected = sum(weight * value for weight, value in terms.values()) / 5.0
    assert overall["tracking_reward"] == pytest.approx(expected, rel=1e-4)
    assert overall["normalised_return"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("body", "degrees", "fails"), [
    # projected gravity -cos(angle) against -1: off by 0.79 at 77.9 degrees, by 0.81 at 79.05
    (TORSO, 77.9, set()), (TORSO, 79.1, {"success"}), (PELVIS, 79.1, {"success_lafan1"}),
])  # fmt: skip
def test_tilt_fails_the_criterion_that_looks_at_the_body(body, degrees, fails):
    robot = standing()
    robot.quat_w[1:, :, BODIES.index(body)] = about_x(degrees)
    measured = judge(recording_of(robot))
    assert {name for name in ("success", "success_lafan1") if measured[name] == 0.0} == fails
    assert measured["completion"] == (0.25 if "success" in fails else 1.0)


@pytest.mark.parametrize(("body", "height", "fails"), [
    (TORSO, 0.24, set()), (TORSO, 0.26, {"success"}), ("left_wrist_yaw_link", 0.26, {"success"}),
    (PELVIS, 0.24, set()), (PELVIS, 0.26, {"success_lafan1"}),
])  # fmt: skip
def test_height_fails_the_criterion_that_looks_at_the_body(body, height, fails):
    robot = standing()
    robot.pos_w[1:, :, BODIES.index(body), 2] += height
    measured = judge(recording_of(robot))
    assert {name for name in ("success", "success_lafan1") if measured[name] == 0.0} == fails
