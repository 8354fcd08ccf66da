"""Inverse dynamics of a small person: an arm at rest by hand, a simulated motion, and what muscles cannot drive."""

import mujoco
import numpy as np
import pytest
from small_human import small_human

from whole_body_tracking.human.inverse_dynamics import inverse_dynamics
from whole_body_tracking.human.job import least_squares
from whole_body_tracking.human.measuring import group_errors, muscle_torque, residuals
from whole_body_tracking.human.model.muscles import dense_moment, muscle_state
from whole_body_tracking.human.motions.arm_raise import arm_raise
from whole_body_tracking.human.motions.motion import HumanMotion, minimum_jerk

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def body():
    return small_human()


@pytest.fixture(scope="module")
def raised(body):
    motion = arm_raise(body, 20.0)
    return motion, inverse_dynamics(body, motion)


def test_standing_arms_by_hand(body):
    motion = HumanMotion("stand", 50.0, np.tile(body.rest_qpos, (5, 1)))
    lowered = motion.raised(-float(body.lowest_soles(motion.qpos)[0]))
    dynamics = inverse_dynamics(body, lowered)
    elbow = body.moved_names.index("left_elbow")
    # 1 kg whose middle is 0.125 m from the elbow, 0.2 rad off the vertical.
    assert dynamics.torque[2, elbow] == pytest.approx(-9.81 * 0.125 * np.sin(0.2), abs=1e-6)
    assert dynamics.contact_force[2, :, 2].sum() == pytest.approx(9.81 * body.mass, rel=1e-3)
    assert np.abs(dynamics.root_residual).max() < 1.0


def test_muscles_are_linear_in_activation_and_their_moments_are_mujocos(body):
    model, data = body.model, mujoco.MjData(body.model)
    data.qpos[:] = body.rest_qpos
    data.qvel[:] = 0.3
    mujoco.mj_forward(model, data)
    moment = dense_moment(model, data)
    state = muscle_state(model, data)
    data.act[:] = 0.3
    mujoco.mj_forward(model, data)
    np.testing.assert_allclose(data.actuator_force, 0.3 * state.active + state.passive, atol=1e-9)
    np.testing.assert_allclose(data.qfrc_actuator, data.actuator_force @ moment, atol=1e-9)


def test_torques_of_muscles_at_rest_and_active_are_mujocos():
    """A still body with bent hips and knees and muscles so short that they pull without activation."""
    body = small_human()
    body.model.actuator_lengthrange[:] = (0.05, 0.12)
    qpos = body.rest_qpos.copy()
    for side in ("left", "right"):
        qpos[body.joint_address(f"{side}_hip")], qpos[body.joint_address(f"{side}_knee")] = -1.8, 2.0
    qpos = body.coordinates.expand(qpos)
    dynamics = inverse_dynamics(body, HumanMotion("bent", 50.0, np.tile(qpos, (5, 1))))
    model, data = body.model, mujoco.MjData(body.model)
    jacobian, activation = body.coordinates.jacobian(qpos), np.linspace(0.0, 0.5, model.nu)
    for excited, expected in ((0.0, dynamics.passive_torque[2]), (1.0, None)):
        data.qpos[:], data.act[:] = qpos, excited * activation
        mujoco.mj_forward(model, data)
        if expected is None:
            expected = dynamics.passive_torque[2] + dynamics.torque_per_activation[2] @ activation
        np.testing.assert_allclose(expected, (data.qfrc_actuator @ jacobian)[6:], atol=1e-6)
        assert np.abs(expected).max() > 1.0


def test_it_explains_a_simulated_motion(body):
    """Torques of a falling body whose muscles are known, its knees held by MuJoCo, come back from positions alone."""
    model, data = body.model, mujoco.MjData(body.model)
    data.qpos[:] = body.rest_qpos
    data.qpos[2] = 5.0
    for name in ("left_knee", "right_knee"):
        data.qpos[body.joint_address(name)] = 0.8  # away from the limit, whose forces inverse dynamics leaves out
    data.qpos[:] = body.coordinates.expand(data.qpos)
    activation = np.full(model.nu, 0.01)
    activation[:4] = (0.04, 0.01, 0.02, 0.03)
    rows, forces = [], []
    for _ in range(140):
        data.act[:], data.ctrl[:] = activation, activation
        mujoco.mj_step(model, data)
        rows.append(data.qpos.copy())
        forces.append(data.qfrc_actuator.copy())
    motion = HumanMotion("float", 500.0, body.coordinates.expand(np.array(rows)))
    dynamics = inverse_dynamics(body, motion)
    jacobian = body.coordinates.jacobian(motion.qpos)
    expected = np.einsum("fd,fdc->fc", np.array(forces), jacobian)[:, 6:]
    middle = slice(50, 80)
    # What is left is the smoothing of velocities over 0.04 s.
    np.testing.assert_allclose(dynamics.torque[middle], expected[middle], atol=0.1 * np.abs(expected).max())


def test_what_no_muscle_drives_is_named(body, raised):
    _, dynamics = raised
    activation = least_squares(dynamics)
    assert activation.min() >= 0.0 and activation.max() <= 1.0
    found = {each.coordinate: each for each in residuals(body, dynamics, activation)}
    assert {"left_shoulder", "right_elbow"} <= set(found) and found["left_shoulder"].num_muscles == 0
    assert "no muscle crosses it" in found["left_shoulder"].describe()
    legs = next(each for each in group_errors(body, dynamics, activation) if each.group == "legs")
    assert legs.share < 0.05 and legs.num_coordinates == 6
    total = group_errors(body, dynamics, activation)[-1]
    error = muscle_torque(dynamics, activation) - dynamics.torque
    assert total.group == "all" and total.error == pytest.approx(np.sqrt(np.square(error).mean()))


def test_the_arms_go_up_and_come_back(body, raised):
    motion, _ = raised
    shoulder = body.joint_address("left_shoulder")
    way = motion.qpos[:, shoulder] - body.rest_qpos[shoulder]
    assert way.min() == pytest.approx(-1.3, abs=1e-6) and way[0] == 0.0 and abs(way[-1]) < 1e-9
    assert abs(body.lowest_soles(motion.qpos)).max() < 1e-9


def test_minimum_jerk_by_hand():
    # 10 / 8 - 15 / 16 + 6 / 32 = 0.5 in the middle.
    np.testing.assert_allclose(minimum_jerk(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])), [0.0, 0.0, 0.5, 1.0, 1.0])


def test_too_short_a_motion_is_refused(body):
    with pytest.raises(ValueError, match="2 frames, expected at least 3"):
        HumanMotion("short", 50.0, np.tile(body.rest_qpos, (2, 1)))
