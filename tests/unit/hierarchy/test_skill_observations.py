"""What skills observe is what sim2sim shows a policy, for many robots at once."""

import numpy as np
import pytest
import torch
from g1_policies import OBSERVATIONS, g1_spec
from scipy.spatial.transform import Rotation

from whole_body_tracking.export import ObservationTerm
from whole_body_tracking.hierarchy.observing import Aim, Placement, Sight, observe, require_observable
from whole_body_tracking.hierarchy.robot_batch import RobotBatch
from whole_body_tracking.sim2sim.observations import ObservationBuilder, Situation

pytestmark = pytest.mark.unit

TERMS = (*OBSERVATIONS, ObservationTerm("projected_gravity", 3))
NUM = 3


def quats(rng) -> np.ndarray:
    return Rotation.random(NUM, random_state=rng).as_quat()


def drawn(rng) -> tuple[RobotBatch, Aim, np.ndarray]:
    """Random robots, aims and last actions."""
    vectors, joints = rng.normal(size=(6, NUM, 3)), rng.normal(size=(4, NUM, 29))
    rows = [vectors[0], quats(1), vectors[1], vectors[2], joints[0], joints[1], vectors[3], quats(2)]
    robot = RobotBatch(*(torch.from_numpy(row).float() for row in rows))
    aim = Aim(*(torch.from_numpy(row).float() for row in (joints[2], joints[3], vectors[4], quats(3))))
    return robot, aim, rng.normal(size=(NUM, 29))


def situation(robot: RobotBatch, aim: Aim, last_action: np.ndarray, row: int, default: np.ndarray) -> Situation:
    take = lambda value: value[row].double().numpy()  # noqa: E731
    return Situation(
        ref_joint_pos=take(aim.joint_pos),
        ref_joint_vel=take(aim.joint_vel),
        ref_anchor_pos_w=take(aim.anchor_pos),
        ref_anchor_quat_w=take(aim.anchor_quat),
        anchor_pos_w=take(robot.anchor_pos),
        anchor_quat_w=take(robot.anchor_quat),
        root_pos_w=take(robot.root_pos),
        root_quat_w=take(robot.root_quat),
        root_lin_vel_w=take(robot.root_lin_vel),
        root_ang_vel_w=take(robot.root_ang_vel),
        joint_pos=take(robot.joint_pos),
        joint_vel=take(robot.joint_vel),
        default_joint_pos=default,
        last_action=last_action[row],
        preview_joint_pos=np.zeros((0, 29)),
        preview_anchor_pos_w=np.zeros((0, 3)),
        preview_anchor_quat_w=np.zeros((0, 4)),
        clip_id=np.zeros(0),
    )


def test_observations_are_those_of_sim2sim():
    spec = g1_spec(observations=TERMS)
    robot, aim, last_action = drawn(np.random.default_rng(0))
    default = torch.tensor(spec.default_joint_pos)
    sight = Sight(robot, Placement.none(NUM), aim, torch.from_numpy(last_action).float(), default)
    found = observe(spec, sight).numpy()
    builder = ObservationBuilder(spec)
    for row in range(NUM):
        wanted = builder.build(situation(robot, aim, last_action, row, np.array(spec.default_joint_pos)))
        np.testing.assert_allclose(found[row], wanted, atol=2e-5)


def test_a_placement_gives_robots_the_place_and_heading_of_their_reference_alone():
    robot, aim, _ = drawn(np.random.default_rng(1))
    pos, quat = Placement.between(robot, aim).anchor(robot)
    np.testing.assert_allclose(pos[:, :2], aim.anchor_pos[:, :2], atol=1e-5)
    np.testing.assert_allclose(pos[:, 2], robot.anchor_pos[:, 2], atol=1e-5)
    between = (Rotation.from_quat(aim.anchor_quat) * Rotation.from_quat(quat).inv()).as_quat()
    np.testing.assert_allclose(between[:, 2], 0.0, atol=1e-5)  # no turn about the vertical is left
    up = [Rotation.from_quat(q).inv().apply([0.0, 0.0, 1.0]) for q in (quat, robot.anchor_quat)]
    np.testing.assert_allclose(*up, atol=1e-5)


@pytest.mark.parametrize(
    ("term", "message"),
    [
        (
            ObservationTerm("preview_joint_pos", 58),
            "Unknown observation term of p.onnx as a skill: 'preview_joint_pos'",
        ),
        (ObservationTerm("joint_pos", 58, history_length=2), "'joint_pos' has a history"),
        (ObservationTerm("joint_vel", 29, scale=(0.05,)), "'joint_vel' has a history, a scale or a bound"),
    ],
)
def test_policies_that_see_something_else_are_refused(term, message):
    with pytest.raises(ValueError, match=message):
        require_observable(g1_spec(observations=(term,)), "p.onnx")
