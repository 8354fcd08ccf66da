"""The filter on motions whose truth is known by formula, and legs say which foot stands."""

import numpy as np
import pytest
from deploy_samples import QUICK, stiff_policy
from g1_policies import OBSERVATIONS, g1_spec
from scipy.spatial.transform import Rotation

from whole_body_tracking.deploy.building import build_controller
from whole_body_tracking.deploy.control.estimation.estimator import RootEstimator
from whole_body_tracking.deploy.control.estimation.filter import SIZE, RootFilter
from whole_body_tracking.deploy.control.estimation.legs import Legs
from whole_body_tracking.deploy.lockstep import advance, make_clock
from whole_body_tracking.deploy.simulated_robot.robot import RobotOptions, SimulatedRobot
from whole_body_tracking.robots import G1

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
    root.correct_foot(0, offset_b, 0.03)
    residual, jacobian = seen[-1]
    for index in range(SIZE):
        error = np.zeros(SIZE)
        error[index] = 1e-6
        root._add(error)
        root.correct_foot(0, offset_b, 0.03)
        root._add(-error)
        np.testing.assert_allclose((residual - seen[-1][0]) / 1e-6, jacobian[:, index], atol=2e-5, err_msg=str(index))


@pytest.mark.integration
def test_standing_feet_hold_the_filter_against_a_biased_accelerometer():
    """Dead reckoning with 0.05 m/s^2 of bias would be 0.05 * 10^2 / 2 = 2.5 m off after ten seconds."""
    root = RootFilter(np.array([0.0, 0.0, 0.75]), UNIT, np.array([0, 0, 0.75]) + FEET)
    for _ in range(1000):
        root.predict(np.array([0.05, 0.0, 9.81]), np.zeros(3), (True, True), 0.01)
        root.correct_orientation(UNIT)
        for foot in range(2):
            root.correct_foot(foot, FEET[foot], 0.03)
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
