"""A gait policy that is told a velocity command in plain MuJoCo."""

import math

import numpy as np
import pytest
from course_policies import exported, small_skills

from whole_body_tracking.evaluation.walking.recording import KEYS
from whole_body_tracking.locomotion.command import VelocityCommand
from whole_body_tracking.robots import G1
from whole_body_tracking.sim2sim.walking import Conditions, GaitByCommand, walk_by_command, walking_ranges

pytestmark = pytest.mark.integration


def test_a_walk_is_measured_like_one_of_the_velocity_task(tmp_path):
    result = walk_by_command(exported()[0], VelocityCommand(0.5), Conditions(num_rollouts=1, seconds=3.5), tmp_path)
    assert set(KEYS) <= set(result.overall) and result.overall["survived"] == 1.0
    assert 0.3 < result.overall["velocity_error"] < 0.6  # the walk of the tests hardly leaves its place
    assert {path.name for path in tmp_path.iterdir()} >= {"report.json", "per_rollout.csv", "played.html"}


def test_torques_are_recorded_and_not_the_targets():
    """A leg carries the robot: more than 10 N m, where no joint target is above 3 rad."""
    walker = GaitByCommand(small_skills().walk.onnx, G1)
    walker.start()
    torque = [walker.step(VelocityCommand(0.3))[-1] for _ in range(5)][-1]
    knee = [walker.spec.joint_names.index(f"{side}_knee_joint") for side in ("left", "right")]
    assert np.abs(torque[knee]).max() > 10.0


def test_the_turn_rate_follows_the_error_of_the_heading():
    policy = small_skills().walk.onnx
    walker = GaitByCommand(policy, G1)
    gait = dict(zip(policy.spec.gait_inputs, walker._gait(VelocityCommand(0.5, heading=0.3), 0.1), strict=True))
    assert gait == pytest.approx({"speed": 0.5, "cadence": 105.0, "turn_rate": 0.2}, abs=1e-6)
    back = walker._gait(VelocityCommand(0.5, heading=-3.0), 0.0)
    assert back[2] == pytest.approx(-0.4)  # within the range of the training
    np.testing.assert_allclose(
        walker._gait(VelocityCommand(0.5, heading=3.1), -3.1)[2], -(2.0 * math.pi - 6.2), atol=1e-6
    )


@pytest.mark.parametrize(
    ("command", "conditions", "message"),
    [
        (
            VelocityCommand(0.0),
            Conditions(1),
            "vx=0 m/s is outside of the range that the policy was trained in, 0.1 to",
        ),
        (VelocityCommand(0.5, 0.1), Conditions(1), "vy=0.1 m/s is outside"),
        (VelocityCommand(0.5), Conditions(1, control_delay=1.0), "--control_delay 1 is for policies without a RefNN"),
    ],
)
def test_commands_that_it_cannot_walk_are_refused(tmp_path, command, conditions, message):
    with pytest.raises(ValueError, match=message):
        walk_by_command(exported()[0], command, conditions, tmp_path)


def test_ranges_are_those_of_the_file():
    ranges = walking_ranges(small_skills().walk.spec)
    assert ranges.lin_vel_x == (0.1, 0.8) and ranges.lin_vel_y == (0.0, 0.0) and ranges.ang_vel_z == (-0.4, 0.4)
