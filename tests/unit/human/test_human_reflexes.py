"""The posture reflex, the leaning stance, and soles that touch the ground where the collision shapes do."""

from dataclasses import fields, replace

import mujoco
import numpy as np
import pytest
import torch
from small_human import TABLE, small_human, small_spec

from whole_body_tracking.human.inverse_dynamics import HumanDynamics
from whole_body_tracking.human.model.body import Balance, HumanBody, Reflex, _lowest
from whole_body_tracking.human.motions.arm_raise import arm_raise
from whole_body_tracking.human.training.muscle_control import MuscleTorques, PostureReflex
from whole_body_tracking.tracking.errors import BodyState

pytestmark = pytest.mark.unit

REFLEXES = (Reflex("left_knee", 100.0, 10.0), Reflex("left", 50.0, 2.0))
QUARTER_TURN = torch.tensor([0.0, 0.0, 0.5**0.5, 0.5**0.5])


def bodies(pos: tuple[float, ...], vel: tuple[float, ...], quat: torch.Tensor) -> BodyState:
    """All tracked bodies of one person in one place."""
    count = len(TABLE.tracked)
    tensors = [torch.as_tensor(value, dtype=torch.float32).expand(1, count, -1) for value in (pos, quat, vel, vel)]
    return BodyState(*tensors)


def test_torques_by_hand():
    body = HumanBody(small_spec(), replace(TABLE, reflexes=REFLEXES, balance=Balance("left_a", -1.0, 800.0, 100.0)))
    names = body.moved_names
    ones = torch.ones(1, len(names))
    target = bodies((1.0, 2.0, 1.0), (0.0, 0.0, 0.0), QUARTER_TURN)  # faces along y
    now = bodies((1.5, 2.1, 1.0), (3.0, 0.2, 0.0), QUARTER_TURN)  # 0.1 m ahead, 0.2 m/s forward
    torque = dict(zip(names, PostureReflex(body)(0.1 * ones, ones, now, target)[0].tolist(), strict=True))
    assert torque["left_knee"] == pytest.approx(100.0 * 0.1 + 10.0)
    assert torque["left_hip"] == pytest.approx(50.0 * 0.1 + 2.0) and torque["right_hip"] == 0.0
    assert torque["left_ankle"] == pytest.approx(7.0 - (800.0 * 0.1 + 100.0 * 0.2))


def test_passive_forces_count_as_part_of_the_torque():
    rows = {each.name: np.zeros((2, 1)) for each in fields(HumanDynamics)}
    rows["torque_per_activation"], rows["passive_torque"] = np.full((2, 1, 2), [10.0, -10.0]), np.array([[0.0], [2.0]])
    muscles = MuscleTorques(HumanDynamics(**rows))
    # 5 N m, of which tissue gives 2 in frame 1; in ten seconds activations are what the excitations are.
    excitation = muscles.excitations(torch.tensor([1]), torch.tensor([[5.0]]), torch.zeros(1, 2), 10.0)[0]
    assert 10.0 * float(excitation[0] - excitation[1]) == pytest.approx(3.0, abs=0.05)
    assert muscles.strength.tolist() == [10.0]


def test_a_body_without_reflexes_has_none():
    torque = PostureReflex(small_human())(
        *torch.ones(2, 1, 11), *[bodies((1.0, 0.0, 0.0), (1.0,) * 3, QUARTER_TURN)] * 2
    )
    assert torque.count_nonzero() == 0


def test_leaning_moves_the_weight_forward_over_flat_feet():
    ankles = {"left_ankle": -1.0, "right_ankle": -1.0}
    straight, leaning = (HumanBody(small_spec(), replace(TABLE, lean_joints=joints)) for joints in ({}, ankles))
    moved = []
    for body in (straight, leaning):
        data = mujoco.MjData(body.model)
        data.qpos[:] = arm_raise(body, 50.0).qpos[0]
        mujoco.mj_kinematics(body.model, data)
        mujoco.mj_comPos(body.model, data)
        foot = data.body("left_foot")
        assert foot.xmat[8] == pytest.approx(1.0, abs=1e-9)  # its z axis is up
        moved.append(data.subtree_com[0, 0] - foot.xpos[0])
    assert moved[1] - moved[0] == pytest.approx(0.05 * 0.9, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "size", "lowest"),
    [
        ("sphere", "0.1", -0.1),
        ("capsule", "0.1 0.3", -0.1 - 0.3 * 0.5),
        ("ellipsoid", "0.1 0.2 0.3", -np.hypot(0.1 * np.sqrt(0.75), 0.3 * 0.5)),
        ("box", "0.1 0.2 0.3", -(0.1 * np.sqrt(0.75) + 0.3 * 0.5)),
    ],
)
def test_the_lowest_point_of_a_tilted_shape(kind, size, lowest):
    text = f'<mujoco><worldbody><geom type="{kind}" size="{size}" euler="0 60 0"/></worldbody></mujoco>'
    model = mujoco.MjModel.from_xml_string(text)
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    assert _lowest(model, data, 0) == pytest.approx(lowest, abs=1e-9)
