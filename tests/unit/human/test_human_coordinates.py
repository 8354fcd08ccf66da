"""Independent coordinates: couplings hold, and velocities and forces pass through them."""

import mujoco
import numpy as np
import pytest
from small_human import small_human

from whole_body_tracking.human.model.coordinates import Coordinates

pytestmark = pytest.mark.unit

BODY = small_human()


def test_followers_are_not_independent():
    # 6 of the root, waist, and hip, knee, ankle, shoulder, elbow of both sides; both slides follow.
    assert len(BODY.coordinates) == 17 and BODY.model.nv == 19
    assert not any("slide" in name for name in BODY.coordinates.names)
    assert BODY.coordinates.names[:6] == tuple(f"root_{end}" for end in ("x", "y", "z", "roll", "pitch", "yaw"))


def test_a_knee_slides_by_its_polynomial():
    qpos = BODY.rest_qpos.copy()
    qpos[BODY.joint_address("left_knee")] = 0.5
    expanded = BODY.coordinates.expand(qpos)
    assert expanded[BODY.joint_address("left_slide")] == pytest.approx(0.01 * 0.5 + 0.002 * 0.5**2)
    assert expanded[BODY.joint_address("right_slide")] == 0.0


def test_the_jacobian_is_the_derivative_of_the_expanded_positions():
    knee = BODY.coordinates.names.index("left_knee")
    address, slide = BODY.joint_address("left_knee"), BODY.joint_address("left_slide")
    qpos = BODY.coordinates.expand(BODY.rest_qpos + 0.3 * (np.arange(BODY.model.nq) == address))
    step = 1e-6 * (np.arange(BODY.model.nq) == address)
    difference = (BODY.coordinates.expand(qpos + step) - qpos) / 1e-6
    jacobian = BODY.coordinates.jacobian(qpos)
    slide_dof = BODY.model.jnt_dofadr[BODY.model.joint("left_slide").id]
    assert jacobian[slide_dof, knee] == pytest.approx(difference[slide], abs=1e-6)
    assert jacobian[slide_dof, knee] == pytest.approx(0.01 + 2 * 0.002 * 0.3)


def test_limits_hold_after_clamping():
    qpos = BODY.rest_qpos.copy()
    qpos[BODY.joint_address("left_knee")] = 3.0
    clamped = BODY.coordinates.clamp(qpos)
    assert clamped[BODY.joint_address("left_knee")] == 2.2
    assert clamped[BODY.joint_address("left_slide")] == pytest.approx(0.01 * 2.2 + 0.002 * 2.2**2)


def model(equality: str) -> mujoco.MjModel:
    joints = "".join(f'<body><joint name="{name}" axis="0 1 0"/><geom size="0.1"/></body>' for name in "abc")
    return mujoco.MjModel.from_xml_string(
        f"<mujoco><worldbody>{joints}</worldbody><equality>{equality}</equality></mujoco>"
    )


def test_a_follower_of_a_follower_and_a_fixed_joint():
    chain = '<joint joint1="c" joint2="b" polycoef="0 3 0 0 0"/><joint joint1="b" joint2="a" polycoef="0 2 0 0 0"/>'
    coordinates = Coordinates(model(chain))
    assert coordinates.names == ("a",)
    np.testing.assert_allclose(coordinates.expand(np.array([0.1, 9.0, 9.0])), [0.1, 0.2, 0.6])
    np.testing.assert_allclose(coordinates.jacobian(np.zeros(3)), [[1.0], [2.0], [6.0]])
    fixed = Coordinates(model('<joint joint1="b" polycoef="0.4 0 0 0 0"/>'))
    np.testing.assert_allclose(fixed.expand(np.ones(3)), [1.0, 0.4, 1.0])


def test_circles_and_other_equalities_are_refused():
    circle = '<joint joint1="a" joint2="b"/><joint joint1="b" joint2="a"/>'
    with pytest.raises(ValueError, match=r"circle: \['a', 'b'\]"):
        Coordinates(model(circle))
    with pytest.raises(ValueError, match="joint couplings only"):
        Coordinates(
            mujoco.MjModel.from_xml_string(
                '<mujoco><worldbody><body name="a"><freejoint/><geom size="0.1"/></body></worldbody>'
                '<equality><weld body1="a"/></equality></mujoco>'
            )
        )
