"""Forward kinematics against Pinocchio on Unitree's own description."""

from importlib.metadata import files

import numpy as np
import pytest
import torch

from whole_body_tracking.motion.geometry.kinematics import center_of_mass, forward_kinematics
from whole_body_tracking.motion.geometry.level_kinematics import level_kinematics
from whole_body_tracking.motion.geometry.rotations import quat_conjugate, quat_mul
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit
NUM_CONFIGURATIONS = 1000


@pytest.fixture(scope="module")
def configurations():
    rng = np.random.default_rng(0)
    lower, upper = G1.joint_pos_limits.T
    quat = rng.normal(size=(NUM_CONFIGURATIONS, 4))
    return (
        rng.normal(size=(NUM_CONFIGURATIONS, 3)),
        quat / np.linalg.norm(quat, axis=-1, keepdims=True),
        rng.uniform(lower, upper, (NUM_CONFIGURATIONS, G1.num_joints)),
    )


@pytest.fixture(scope="module")
def reference(configurations):
    """Body positions, rotations as (x, y, z, w), centre of mass, from Unitree's URDF."""
    pin = pytest.importorskip("pinocchio")
    urdf = next(f for f in files("example-robot-data") if f.name == "g1_29dof_rev_1_0.urdf").locate()
    model = pin.buildModelFromUrdf(str(urdf), pin.JointModelFreeFlyer())
    data = model.createData()
    columns = [model.joints[model.getJointId(name)].idx_q for name in G1.joint_names]
    frames = [model.getFrameId(name) for name in G1.body_names]
    pos, quat, com = [], [], []
    for root_pos, root_quat, joint_pos in zip(*configurations, strict=True):
        q = np.concatenate((root_pos, root_quat, np.zeros(model.nq - 7)))
        q[columns] = joint_pos
        pin.framesForwardKinematics(model, data, q)
        pos.append([data.oMf[frame].translation.copy() for frame in frames])
        quat.append([pin.Quaternion(data.oMf[frame].rotation).coeffs() for frame in frames])
        com.append(pin.centerOfMass(model, data, q).copy())
    return tuple(torch.from_numpy(np.array(values)) for values in (pos, quat, com))


def test_body_poses_equal_pinocchio(configurations, reference):
    pos, quat = forward_kinematics(G1, *map(torch.from_numpy, configurations))
    assert (pos - reference[0]).norm(dim=-1).max() < 1e-5
    relative = quat_mul(quat, quat_conjugate(reference[1]))
    assert (2.0 * torch.asin(relative[..., :3].norm(dim=-1).clamp(max=1.0))).max() < 1e-5


def test_centre_of_mass_equals_pinocchio(configurations, reference):
    pos, quat = forward_kinematics(G1, *map(torch.from_numpy, configurations))
    # Masses and centres are stored with fewer digits than the URDF has.
    assert (center_of_mass(G1, pos, quat) - reference[2]).norm(dim=-1).max() < 1e-4


def test_single_precision_agrees_with_double(configurations):
    inputs = [torch.from_numpy(values) for values in configurations]
    double_pos, _ = forward_kinematics(G1, *inputs)
    single_pos, single_quat = forward_kinematics(G1, *(values.float() for values in inputs))
    assert single_pos.dtype == single_quat.dtype == torch.float32
    assert (single_pos - double_pos).abs().max() < 1e-5
    assert (single_quat.norm(dim=-1) - 1.0).abs().max() < 1e-5


def test_kinematics_is_differentiable(configurations):
    root_pos, root_quat, joint_pos = (torch.from_numpy(values[:2]) for values in configurations)
    joint_pos.requires_grad_()
    pos, _ = forward_kinematics(G1, root_pos, root_quat, joint_pos)
    pos[:, G1.body_names.index("left_ankle_roll_link"), 2].sum().backward()
    moved = joint_pos.grad.abs().amax(0) > 0
    # Only the joints of the left leg above the ankle's own axis move the left ankle.
    names = [name for name, used in zip(G1.joint_names, moved, strict=True) if used]
    assert names == [n for n in G1.joint_names[:5]]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_cuda_agrees_with_the_cpu(configurations):
    inputs = [torch.from_numpy(values) for values in configurations]
    on_cpu, on_cuda = forward_kinematics(G1, *inputs), forward_kinematics(G1, *(values.cuda() for values in inputs))
    torch.testing.assert_close(on_cuda[0].cpu(), on_cpu[0])
    torch.testing.assert_close(center_of_mass(G1, *on_cuda).cpu(), center_of_mass(G1, *on_cpu))


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"takes root_pos, root_quat and joint_pos of shapes .*\(2, 29\).*got .*28"):
        forward_kinematics(G1, torch.zeros(2, 3), torch.zeros(2, 4), torch.zeros(2, 28))


def test_levels_of_bodies_give_the_same_poses():
    torch.manual_seed(1)
    pos, quat = torch.randn(5, 3), torch.nn.functional.normalize(torch.randn(5, 4), dim=-1)
    joints = torch.randn(5, G1.num_joints)
    expected = forward_kinematics(G1, pos, quat, joints)
    for found, wanted in zip(level_kinematics(G1, pos, quat, joints), expected, strict=True):
        assert torch.allclose(found, wanted, atol=1e-5)
