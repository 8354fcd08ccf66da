"""The filter on motions whose truth is known by formula, and legs say which foot stands."""

import numpy as np
import pytest
from deploy_samples import QUICK, stiff_policy
from g1_policies import OBSERVATIONS, g1_spec
from scipy.spatial.transform import Rotation

from whole_body_tracking.deploy.building import build_controller
from whole_body_tracking.deploy.control.estimation.estimator import RootEstimator
from whole_body_tracking.deploy.control.estimation.filter import SIZE, RootFilter
from whole_body_tracking.deploy.control.estimation.legs import ROLLING, Legs, lowest_point
from whole_body_tracking.deploy.estimator_check import Followed, averaged, follow
from whole_body_tracking.deploy.lockstep import advance, make_clock
from whole_body_tracking.deploy.simulated_robot.robot import RobotOptions, SimulatedRobot
from whole_body_tracking.deploy.simulated_robot.sensors import SensorNoise
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.defaults import DEFAULT_WALK_FILE
from whole_body_tracking.motion.sources.motion_entries import cut
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.mujoco_simulation import RobotState

pytestmark = pytest.mark.unit

FEET = np.array([[0.0, 0.12, -0.72], [0.0, -0.12, -0.72]])
UNIT = np.array([0.0, 0.0, 0.0, 1.0])


def test_prediction_is_the_integral_of_the_readings():
    """1 m/s^2 ahead for one second: 0.5 m and 1 m/s; half a turn per second about the vertical."""
    root = RootFilter(np.zeros(3), UNIT, FEET)
    for _ in range(100):
        ahead_b = root.rotation.inv().apply([1.0, 0.0, 9.81])
        root.predict(ahead_b, np.array([0.0, 0.0, np.pi]), (False, False), 0.01)
    np.testing.assert_allclose(root.pos_w, [0.5, 0.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(root.lin_vel_w, [1.0, 0.0, 0.0], atol=1e-9)
    assert root.rotation.magnitude() == pytest.approx(np.pi)


def test_jacobian_of_a_foot_is_its_derivative(monkeypatch):
    """Move the state by a small error in every direction: the residual falls by the Jacobian times the error."""
    root = RootFilter(np.array([0.1, 0.2, 0.8]), Rotation.from_euler("xyz", [0.1, -0.2, 0.7]).as_quat(), FEET + 0.5)
    offset_b, seen = np.array([0.05, 0.1, -0.7]), []
    monkeypatch.setattr(root, "_correct", lambda residual, jacobian, noise: seen.append((residual, jacobian)))
    root.correct_foot(0, offset_b)
    residual, jacobian = seen[-1]
    for index in range(SIZE):
        error = np.zeros(SIZE)
        error[index] = 1e-6
        root._add(error)
        root.correct_foot(0, offset_b)
        root._add(-error)
        np.testing.assert_allclose((residual - seen[-1][0]) / 1e-6, jacobian[:, index], atol=2e-5, err_msg=str(index))


def test_a_foot_that_swings_is_not_believed():
    """It moves at 1 m/s over a root at rest; 0.1 m/s is within a joint velocity's noise."""
    root = RootFilter(np.zeros(3), UNIT, FEET)
    assert root.expects_velocity(np.array([0.1, 0.0, 0.0]))
    assert not root.expects_velocity(np.array([1.0, 0.0, 0.0]))
    # Its own velocity unknown to 0.5 m/s, the root may well move at 1 m/s: 1 / sqrt(0.5^2 + 0.15^2) = 1.9 deviations.
    root.covariance[3:6, 3:6] = 0.25 * np.eye(3)
    assert root.expects_velocity(np.array([1.0, 0.0, 0.0]))


def test_a_foot_that_rolls_touches_the_ground_with_its_toes():
    corners = np.array([[-0.05, -0.03, -0.03], [-0.05, 0.03, -0.03], [0.12, -0.03, -0.03], [0.12, 0.03, -0.03]])
    np.testing.assert_allclose(lowest_point(corners, np.eye(3)), [0.035, 0.0, -0.03], atol=1e-12)
    toes_down = Rotation.from_euler("y", 0.3).as_matrix()
    np.testing.assert_allclose(lowest_point(corners, toes_down), [0.12, 0.0, -0.03], atol=1e-6)
    # Heels higher by ROLLING weigh 1 / e: (0.12 - 0.05 / e) / (1 + 1 / e).
    slightly = Rotation.from_euler("y", np.arcsin(ROLLING / 0.17)).as_matrix()
    assert lowest_point(corners, slightly)[0] == pytest.approx((0.12 - 0.05 / np.e) / (1 + 1 / np.e), abs=1e-6)


def test_velocities_of_the_soles_are_their_derivatives():
    """While a foot rolls its point moves with the sole and along it: d(offset) = velocity dt + shift."""
    rng, legs = np.random.default_rng(0), Legs(G1, g1_spec())
    zeros, quat = np.zeros(3), Rotation.from_euler("xyz", [0.02, 0.01, 0.7]).as_quat()
    joint_pos, joint_vel, dt = 0.02 * rng.normal(size=29), rng.normal(size=29), 1e-5

    def read(pos):
        return legs.read(RobotState(zeros, quat, zeros, zeros, pos, joint_vel), np.zeros(29))

    before, after = read(joint_pos), read(joint_pos + dt * joint_vel)
    assert np.abs(after.shifts_b).max() > 1e-6  # it does roll
    np.testing.assert_allclose(
        (after.offsets_b - before.offsets_b - after.shifts_b) / dt, before.velocities_b, atol=1e-3
    )


@pytest.mark.integration
def test_standing_feet_hold_the_filter_against_a_biased_accelerometer():
    """Dead reckoning with 0.05 m/s^2 of bias would be 0.05 * 10^2 / 2 = 2.5 m off after ten seconds."""
    root = RootFilter(np.array([0.0, 0.0, 0.72]), UNIT, np.array([0, 0, 0.72]) + FEET)
    for _ in range(1000):
        root.predict(np.array([0.05, 0.0, 9.81]), np.zeros(3), (True, True), 0.01)
        root.correct_orientation(UNIT)
        for foot in range(2):
            root.correct_foot(foot, FEET[foot])
    assert np.linalg.norm(root.pos_w[:2]) < 0.01 and np.linalg.norm(root.lin_vel_w) < 0.01
    assert (np.linalg.eigvalsh(root.covariance) > -1e-12).all()


@pytest.mark.integration
def test_feet_carry_the_weight_when_they_stand():
    """Both together 33.34 kg * 9.81 m/s^2 = 327 N less the feet; hanging in the air nothing."""
    spec = g1_spec()
    for gantry, low, high in ((False, 280.0, 370.0), (True, -30.0, 30.0)):
        robot = SimulatedRobot(RobotOptions(gantry=gantry))
        controller = build_controller(stiff_policy(), config=QUICK, clock=make_clock(robot))
        advance(controller, robot, 0.02)
        controller.stand()
        advance(controller, robot, 0.5)
        legs, state = Legs(G1, spec), controller._estimated()
        feet = legs.read(state, robot.readings().joint_torque)
        assert low < feet.forces.sum() < high
        assert legs.standing(feet) == (not gantry, not gantry)


def test_a_policy_that_observes_position_gets_the_estimator(tmp_path):
    from deploy_samples import export_stiff_policy

    path = export_stiff_policy(tmp_path / "policy.onnx", observations=OBSERVATIONS)
    assert isinstance(build_controller(path).estimator, RootEstimator)
    assert not isinstance(build_controller(stiff_policy()).estimator, RootEstimator)


@pytest.mark.integration
@pytest.mark.parametrize("noise", [None, SensorNoise()], ids=["perfect", "noise"])
def test_a_walk_is_followed(noise):
    """Two seconds of the package's walk, with the steps that the torques tell of."""
    clip = MotionClip.load(DEFAULT_WALK_FILE)
    found = follow(cut(clip, 100, 199, name="steps"), G1, g1_spec(), noise, seed=0)
    assert found.seconds == pytest.approx(1.98) and found.distance > 0.3
    assert found.velocity_rmse < 0.1 and found.drift < 0.03 * found.distance and found.height_rmse < 0.01


def test_a_row_is_a_mean_and_a_share_of_the_way():
    runs = [Followed("walk", 2.0, 4.0, 0.02, 0.1, 0.001), Followed("walk", 2.0, 4.0, 0.04, 0.3, 0.003)]
    assert averaged(runs) == pytest.approx({
        "clip": "walk", "seconds": 2.0, "distance": 4.0, "velocity_rmse": 0.03, "drift": 0.2, "height_rmse": 0.002,
        "drift_share": 0.05,
    })  # fmt: skip
