"""The parts of the solver against hand-made numbers, finite differences and dense algebra."""

import numpy as np
import pytest
import torch

from whole_body_tracking.mocap.figure import robot_figure
from whole_body_tracking.mocap.person.contacts import contacts, flat_stance, runs
from whole_body_tracking.mocap.solver.banded import second_differences, solve_motion, spread
from whole_body_tracking.mocap.solver.capsule_distance import segment_distance
from whole_body_tracking.mocap.solver.problem import Problem, RetargetWeights
from whole_body_tracking.mocap.solver.self_collision import find_overlaps, robot_capsules
from whole_body_tracking.mocap.targets import lock_points
from whole_body_tracking.motion.geometry.chain import Chain, Poses, log_matrix, matrix_from_quat
from whole_body_tracking.motion.geometry.kinematics import forward_kinematics
from whole_body_tracking.motion.geometry.rotations import quat_exp, quat_mul
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def poses():
    generator = torch.Generator().manual_seed(0)
    quat = torch.nn.functional.normalize(torch.randn(4, 4, generator=generator).double(), dim=-1)
    return Poses(
        torch.randn(4, 3, generator=generator).double(), quat, 0.6 * torch.randn(4, 29, generator=generator).double()
    )


def test_kinematics_are_the_projects(poses):
    bodies = Chain(G1).body_poses(poses)
    pos, quat = forward_kinematics(G1, poses.root_pos, poses.root_quat, poses.joint_pos)
    assert torch.allclose(bodies.pos, pos) and torch.allclose(bodies.rot, matrix_from_quat(quat))


def test_jacobians_against_finite_differences(poses):
    chain, h = Chain(G1), 1e-6
    bodies = chain.body_poses(poses)
    names = ["left_wrist_yaw_link", "right_ankle_roll_link", "torso_link"]
    index = chain.body_indices(names)
    local = torch.tensor([[0.1, 0.02, -0.03]]).double().expand(3, 3)
    points = chain.point_jacobians(bodies, index, bodies.points(index, local))
    turns = chain.turn_jacobians(bodies, index)
    for unknown in range(chain.num_unknowns):
        step = torch.zeros(4, chain.num_unknowns).double()
        step[:, unknown] = h
        plus, minus = chain.body_poses(poses.moved(step)), chain.body_poses(poses.moved(-step))
        slope = (plus.points(index, local) - minus.points(index, local)) / (2 * h)
        assert torch.allclose(points[..., unknown], slope, atol=1e-7), unknown
        turned = log_matrix(plus.rot[:, index] @ minus.rot[:, index].mT) / (2 * h)
        assert torch.allclose(turns[..., unknown], turned, atol=1e-7), unknown


def test_gradient_of_the_cost(walk):
    """The normal equations' gradient is half of the cost's slope, overlaps and sunk soles included."""
    problem = Problem(robot_figure(G1), walk.targets, RetargetWeights(), robot_capsules(G1))
    index = torch.tensor([0, 10])
    poses = problem.initial(index)
    poses = Poses(poses.root_pos - torch.tensor([0.0, 0.0, 0.05]), poses.root_quat, poses.joint_pos)
    generator = torch.Generator().manual_seed(1)
    poses = poses.moved(0.3 * torch.randn(2, 35, generator=generator).double())
    normal = problem.linearize(poses, index)
    for unknown in (0, 2, 4, 9, 15, 20, 25):
        step = torch.zeros(2, 35).double()
        step[:, unknown] = 1e-6
        slope = (
            problem.linearize(poses.moved(step), index).cost - problem.linearize(poses.moved(-step), index).cost
        ) / 2e-6
        # The turns' Jacobian leaves out how a large rotation error changes direction: a few percent.
        assert torch.allclose(2.0 * normal.gradient[:, unknown], slope, rtol=0.1, atol=2.0), unknown


def test_log_of_matrices():
    vectors = torch.tensor([[0.0, 0.0, 0.0], [1e-12, 0.0, 0.0], [0.3, -0.2, 0.1], [0.0, 3.0, 0.0]]).double()
    assert torch.allclose(log_matrix(matrix_from_quat(quat_exp(vectors))), vectors)
    quat = quat_mul(quat_exp(vectors[2]), quat_exp(vectors[3]))
    assert torch.allclose(
        matrix_from_quat(quat), matrix_from_quat(quat_exp(vectors[2])) @ matrix_from_quat(quat_exp(vectors[3]))
    )


@pytest.mark.parametrize("frames", [2, 3, 7])
def test_banded_solution_is_the_dense_one(frames):
    rng, n, smoothness = np.random.default_rng(frames), 3, 2.0
    root = rng.normal(size=(frames, n, n))
    hessian = root @ root.transpose(0, 2, 1) + 0.1 * np.eye(n)
    gradient, damping = rng.normal(size=(frames, n)), rng.uniform(0.0, 1.0, frames)
    free = rng.uniform(size=(frames, n)) > 0.2
    step = solve_motion(torch.from_numpy(hessian), gradient, smoothness, damping, free)
    dense = np.zeros((frames * n, frames * n))
    for t in range(frames):
        block = slice(t * n, (t + 1) * n)
        dense[block, block] = hessian[t] + damping[t] * np.diag(np.diag(hessian[t]))
    difference = np.kron(second_differences(np.eye(frames)), np.eye(n))
    dense += smoothness**2 * difference.T @ difference
    kept = free.reshape(-1)
    expected = np.zeros(frames * n)
    expected[kept] = np.linalg.solve(dense[np.ix_(kept, kept)], -gradient.reshape(-1)[kept])
    assert np.allclose(step.reshape(-1), expected)


def test_spread_is_the_transpose():
    x, y = np.random.default_rng(0).normal(size=(6, 2)), np.random.default_rng(1).normal(size=(4, 2))
    assert (second_differences(x) * y).sum() == pytest.approx((x * spread(y, 6)).sum())


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ([[0, 0, 0], [1, 0, 0]], [[0.5, 1, -1], [0.5, 1, 1]], 1.0),  # crossing at a height of 1
        ([[0, 0, 0], [1, 0, 0]], [[2, 0, 0], [3, 0, 0]], 1.0),  # one behind the other
        ([[0, 0, 0], [1, 0, 0]], [[0, 2, 0], [1, 2, 0]], 2.0),  # parallel
        ([[0, 0, 0], [0, 0, 0]], [[0, 3, 4], [0, 3, 4]], 5.0),  # two points
        ([[0, 0, 0], [1, 0, 0]], [[4, 4, 0], [4, 4, 0]], 5.0),  # a segment and a point: (3, 4) away
    ],
)
def test_segment_distance(a, b, distance):
    for first, second in ((a, b), (b, a)):
        found, on_a, on_b = segment_distance(torch.tensor([first]).double(), torch.tensor([second]).double())
        assert float(found[0]) == pytest.approx(distance)
        assert float((on_a - on_b).norm()) == pytest.approx(distance)


def test_overlaps_of_the_robot():
    """None in the default pose; hands in the belly when both forearms turn inwards."""
    capsules, chain = robot_capsules(G1), Chain(G1)
    upright = Poses(
        torch.zeros(2, 3).double(),
        torch.tensor([[0.0, 0.0, 0.0, 1.0]]).double().repeat(2, 1),
        torch.from_numpy(G1.default_joint_pos).repeat(2, 1),
    )
    for side, sign in (("left", -1.0), ("right", 1.0)):
        upright.joint_pos[1, G1.joint_names.index(f"{side}_shoulder_yaw_joint")] = sign * 1.4
        upright.joint_pos[1, G1.joint_names.index(f"{side}_elbow_joint")] = 0.0
        upright.joint_pos[1, G1.joint_names.index(f"{side}_shoulder_pitch_joint")] = 0.0
    found = find_overlaps(capsules, chain.body_poses(upright))
    assert set(found.frame.tolist()) == {1} and float(found.depth.max()) > 0.02
    pushed = found.points[:, 0] - found.points[:, 1]
    assert bool(((pushed * found.normal).sum(-1) >= 0.0).all())


def test_contacts_by_height_and_speed():
    """A foot that stands for 0.5 s, swings for 0.5 s and stands again; at 0.3 m it is held still without standing."""
    fps, time = 50.0, torch.arange(100).double() / 50.0
    swing = ((time >= 0.5) & (time < 1.0)).double()
    height = 0.3 * (swing * torch.sin(torch.pi * (time - 0.5) / 0.5)).double()
    ahead = torch.where(time < 0.5, 0.0, torch.where(time < 1.0, (time - 0.5) * 2.0, 1.0)).double()
    moving = torch.stack((ahead, 0 * ahead, 0.1 + height), dim=-1)
    still = torch.tensor([0.0, 0.0, 0.4]).double().expand(100, 3)
    ankle = torch.stack((moving, still), dim=1)
    toe = ankle - torch.tensor([0.0, 0.0, 0.08]).double()
    flat = flat_stance(ankle, toe, fps)
    assert (flat.ankle, flat.toe) == (pytest.approx(0.1), pytest.approx(0.02))
    heel_contact, toe_contact = contacts(ankle, toe, flat, fps)
    assert not heel_contact[:, 1].any() and not toe_contact[:, 1].any()
    assert runs(heel_contact[:, 0]) == [(0, 25), (51, 100)]


def test_points_that_stand_are_locked():
    """A toe that drifts by 1 cm per frame: while it stands (frames 2 to 4, x = 2, 3, 4 cm) it rests at their median,
    3 cm, on the ground. The shifts of 1, 0, -1 cm stay beyond the ends: frame 0 moves by +1 cm, frame 6 by -1 cm."""
    points = torch.stack(
        (torch.arange(7).double() / 100, torch.zeros(7).double(), torch.full((7,), 0.02).double()), dim=-1
    )
    stands = torch.tensor([False, False, True, True, True, False, False])
    locked = lock_points(points, stands)
    assert torch.allclose(locked[:, 0], torch.tensor([0.01, 0.02, 0.03, 0.03, 0.03, 0.04, 0.05]).double())
    assert torch.allclose(locked[2:5, 2], torch.zeros(3).double())


def test_runs():
    assert runs(torch.tensor([True, False, True, True])) == [(0, 1), (2, 4)]
    assert runs(torch.tensor([False, False])) == []
