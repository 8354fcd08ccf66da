"""Planners along a clip: what they minimise, that they help, that they repeat, and what they say of lost windows."""

from types import SimpleNamespace

import numpy as np
import pytest
from refine_samples import squat_part, standing
from scipy.spatial.transform import Rotation

from whole_body_tracking.refine import inverse_dynamics_targets
from whole_body_tracking.refine.measuring import play
from whole_body_tracking.refine.native_physics import Trajectories
from whole_body_tracking.refine.planning.gauss_newton import GaussNewtonPlanner, GradientSettings
from whole_body_tracking.refine.planning.receding_horizon import MAX_RETRIES, RecedingHorizon, _pass_window, follow
from whole_body_tracking.refine.planning.sampling import SamplingPlanner, SamplingSettings
from whole_body_tracking.refine.planning.tracking_cost import rotation_between, tracking_cost, tracking_residuals
from whole_body_tracking.refine.planning.trajectory_gains import trajectory_gains
from whole_body_tracking.refine.reference import reference_states
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

SMALL = SamplingSettings(samples=6, rounds=1, horizon=6, replan_every=3)


@pytest.fixture(scope="module")
def reference():
    return reference_states(squat_part(30), G1)


def feed_forward(reference):
    return reference.in_robot_order(inverse_dynamics_targets(reference.clip).joint_target)


def test_cost_is_a_sum_of_squares(reference):
    """0.1 m off in every body, 0.3 rad about z, 1.6 m/s, 0.37 rad in every joint: each costs 1."""
    qpos, qvel = reference.qpos[5:6].copy(), reference.qvel[5:6].copy()
    turn = Rotation.from_rotvec([0.0, 0.0, 0.3]) * Rotation.from_quat(np.roll(qpos[0, 3:7], -1))
    qpos[0, 3:7], qpos[0, 7:] = np.roll(turn.as_quat(), 1), qpos[0, 7:] + 0.37
    qvel[0, 1] += 1.6
    played = Trajectories(qpos, qvel, reference.body_pos_w[5:6] + [0.0, 0.0, 0.1])
    assert tracking_cost(played, reference, np.array([5]))[0] == pytest.approx(4.0)
    assert np.square(tracking_residuals(played, reference, np.array([5]))).sum() == pytest.approx(4.0)


def test_rotation_between_is_the_same_for_both_signs():
    first, turn = Rotation.from_euler("xyz", [0.4, -1.0, 2.0]), Rotation.from_rotvec([0.1, -0.2, 0.3])
    wxyz = [np.roll(rotation.as_quat(), 1) for rotation in (first, first * turn)]
    np.testing.assert_allclose(rotation_between(wxyz[0], wxyz[1]), [0.1, -0.2, 0.3], atol=1e-9)
    np.testing.assert_allclose(rotation_between(-wxyz[0], wxyz[1]), [0.1, -0.2, 0.3], atol=1e-9)


def test_a_robot_that_blew_up_costs_most(reference):
    played = Trajectories(*(np.full((1, *values.shape[1:]), np.nan) for values in (
        reference.qpos, reference.qvel, reference.body_pos_w)))  # fmt: skip
    assert tracking_cost(played, reference, np.array([0]))[0] == 1e4


@pytest.mark.integration
def test_sampling_repeats_with_its_seed(physics, reference):
    found = [
        follow(SamplingPlanner(physics, reference, feed_forward(reference), SMALL, seed)).joint_target
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


@pytest.mark.integration
def test_sampling_helps_where_the_targets_are_bad(physics, reference):
    """The reference's own positions let the robot sink away; 30 steps of planning keep it closer."""
    targets = reference.joint_pos
    settings = SamplingSettings(samples=24, rounds=2, horizon=10, replan_every=3)
    planned = follow(SamplingPlanner(physics, reference, targets, settings)).joint_target
    assert play(reference, planned).body_error[-1] < 0.7 * play(reference, targets).body_error[-1]


@pytest.mark.integration
def test_gauss_newton_helps_where_the_targets_are_bad(physics):
    reference = reference_states(squat_part(16), G1)
    targets = reference.joint_pos
    planned = follow(GaussNewtonPlanner(physics, reference, targets, GradientSettings(horizon=8))).joint_target
    assert play(reference, planned).body_error[-1] < 0.5 * play(reference, targets).body_error[-1]


class Stubborn:
    """A planner that throws the robot over unless it is given twice the effort."""

    def __init__(self, reference, targets, enough):
        self.reference, self.targets, self.enough, self.settings = reference, targets, enough, SMALL

    def no_offsets(self, num_envs):
        return np.zeros((num_envs, 6, G1.num_joints))

    def plan(self, qpos, qvel, frames, offsets, effort=1):
        return self.no_offsets(1) + (2.0 if effort < self.enough and frames[0] >= 24 else 0.0)


def test_a_lost_window_is_planned_again_with_more_effort():
    reference = reference_states(standing(61), G1)
    found = follow(Stubborn(reference, feed_forward(reference), enough=2))
    assert found.num_retries == 2 and found.failed_windows == []  # frames 24 to 48 and 48 to 60
    assert play(reference, found.joint_target).finished


def test_a_window_that_stays_lost_is_named_and_the_rest_goes_on():
    reference = reference_states(standing(61), G1)
    found = follow(Stubborn(reference, feed_forward(reference), enough=99))
    assert found.failed_windows == [(24, 48), (48, 60)] and found.num_retries == 4
    assert not play(reference, found.joint_target).finished


def test_what_was_planned_plays_again_exactly(physics, reference):
    planner = SamplingPlanner(physics, reference, feed_forward(reference), SMALL)
    robot = RecedingHorizon(planner)
    assert robot.advance(29, 1, lambda frame: None)
    np.testing.assert_array_equal(play(reference, robot.targets).qpos[-1], robot.simulation.data.qpos)


@pytest.mark.integration
def test_gains_pull_a_pushed_robot_back(physics):
    """0.3 m/s forwards while standing: with the gains the root comes back closer to its place."""
    reference = reference_states(standing(41), G1)
    targets = feed_forward(reference)
    gains = trajectory_gains(physics, reference, targets)
    assert gains.shape == (41, 29, 70) and not gains[0].any()
    shifts = []
    for share in (0.0, 1.0):
        qpos, qvel = reference.qpos[:1].copy(), reference.qvel[:1].copy()
        qvel[0, 0] += 0.3
        for frame in range(1, 41):
            rotation = rotation_between(reference.qpos[frame - 1, 3:7], qpos[0, 3:7])
            pos = np.concatenate([qpos[0, :3] - reference.qpos[0, :3], rotation, qpos[0, 7:] - reference.qpos[0, 7:]])
            change = gains[frame] @ np.concatenate([pos, qvel[0]])
            played = physics.roll_out(qpos, qvel, (targets[frame] + share * change)[None, None])
            qpos, qvel = played.qpos[:, 0], played.qvel[:, 0]
        shifts.append(np.abs(qpos[0, 0] - reference.qpos[0, 0]))
    assert shifts[1] < 0.5 * shifts[0]


@pytest.mark.parametrize("wrong", [{"samples": 1}, {"rounds": 0}, {"horizon": 2}])
def test_sampling_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="should be at (least|most)"):
        SamplingSettings(**wrong)


@pytest.mark.parametrize("wrong", [{"learning_rate": 0.0}, {"horizon": 1}])
def test_gradient_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="should be (positive|at most)"):
        GradientSettings(**wrong)


class LostRobot:
    """A robot that is lost in every attempt, each of which writes its number into the targets from where it began."""

    def __init__(self):
        self.targets, self.frame, self.attempt = np.zeros(6), 4, 0

    def restore(self, frame: int) -> None:
        self.frame = frame

    def advance(self, goal: int, effort: int, report) -> bool:
        self.attempt += 1
        self.targets[self.frame :] = self.attempt
        return False


def test_windows_that_were_passed_keep_their_targets_when_a_later_one_is_lost_for_good():
    """Attempts from frames 4, 2 and 0: what was passed before is the first attempt's."""
    robot, saved = LostRobot(), [0, 2, 4]
    result = SimpleNamespace(num_retries=0)
    assert not _pass_window(robot, saved, 6, result, lambda frame: None)
    assert robot.attempt == MAX_RETRIES + 1 and result.num_retries == MAX_RETRIES
    assert robot.targets.tolist() == [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]
