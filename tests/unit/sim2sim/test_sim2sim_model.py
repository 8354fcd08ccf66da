"""The MuJoCo model is the robot of the facts, driven with the policy's gains."""

import mujoco
import numpy as np
import pytest
import torch
from g1_policies import g1_spec
from scipy.spatial.transform import Rotation

from whole_body_tracking.motion.geometry.kinematics import forward_kinematics
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.mujoco_model import build_model

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def model():
    return build_model(G1, g1_spec())


def joint_ids(model, names=G1.joint_names):
    return [model.joint(name).id for name in names]


def test_bodies_and_joints_are_the_facts(model):
    assert [model.body(index).name for index in range(1, model.nbody)] == list(G1.body_names)
    np.testing.assert_allclose(model.jnt_range[joint_ids(model)], G1.joint_pos_limits)


def test_mass_and_inertia_are_the_facts(model):
    assert model.body_mass.sum() == pytest.approx(33.34, rel=1e-3)  # the data sheet
    for name in G1.body_names:
        facts, body = G1.facts["bodies"][name], model.body(name)
        assert body.mass[0] == facts["mass"]
        np.testing.assert_allclose(body.ipos, facts["com"], atol=1e-12)
        axes = Rotation.from_quat(np.roll(body.iquat, -1)).as_matrix()
        inertia = axes @ np.diag(body.inertia) @ axes.T
        expected = facts["inertia_about_com"]
        found = {"ixx": inertia[0, 0], "ixy": inertia[0, 1], "ixz": inertia[0, 2]}
        found |= {"iyy": inertia[1, 1], "iyz": inertia[1, 2], "izz": inertia[2, 2]}
        assert found == pytest.approx(expected, abs=1e-9), name


def test_gains_are_the_policys():
    """Joints in another order and other gains than the facts': matched by name, taken from the policy."""
    names = tuple(reversed(G1.joint_names))
    stiffness = tuple(float(10 + index) for index in range(len(names)))
    spec = g1_spec(joint_names=names, joint_stiffness=stiffness, joint_armature=tuple(0.01 * s for s in stiffness))
    model = build_model(G1, spec)
    for index, name in enumerate(names):
        servo, dof = model.actuator(name), model.joint(name).dofadr[0]
        assert servo.trnid[0] == model.joint(name).id
        assert servo.gainprm[0] == stiffness[index] and servo.biasprm[1] == -stiffness[index]
        assert servo.biasprm[2] == -spec.joint_damping[index]
        np.testing.assert_allclose(servo.forcerange, [-spec.joint_effort_limit[index], spec.joint_effort_limit[index]])
        assert model.dof_armature[dof] == pytest.approx(0.01 * stiffness[index])


def test_poses_are_those_of_forward_kinematics(model):
    rng, data = np.random.default_rng(0), mujoco.MjData(model)
    joint_pos = rng.uniform(*G1.joint_pos_limits.T)
    quat = Rotation.random(random_state=1).as_quat()
    data.qpos[:7] = [0.3, -0.2, 1.1, *np.roll(quat, 1)]
    data.qpos[model.jnt_qposadr[joint_ids(model)]] = joint_pos
    mujoco.mj_kinematics(model, data)
    root = torch.tensor([[0.3, -0.2, 1.1]], dtype=torch.float64)
    pos, _ = forward_kinematics(G1, root, torch.from_numpy(quat)[None], torch.from_numpy(joint_pos)[None])
    np.testing.assert_allclose(data.xpos[1:], pos[0].numpy(), atol=1e-9)


def test_only_the_pairs_of_the_facts_and_neighbours_pass_through_each_other(model):
    pairs = {tuple(sorted((s >> 16, s & 0xFFFF))) for s in model.exclude_signature.tolist()}
    ids = {name: model.body(name).id for name in G1.body_names}
    assert pairs == {tuple(sorted((ids[a], ids[b]))) for a, b in G1.facts["self_collision_excludes"]}
    data = mujoco.MjData(model)
    data.qpos[2] = 5.0
    data.qpos[model.joint("left_shoulder_roll_joint").qposadr[0]] = -1.0
    mujoco.mj_forward(model, data)
    touching = {frozenset(model.geom_bodyid[contact.geom].tolist()) for contact in data.contact}
    assert any(ids["torso_link"] in pair for pair in touching)


def test_the_feet_carry_the_weight(model):
    """33.34 kg * 9.81 m/s^2 = 327 N on average over half a second in the default pose, the feet alone on the ground."""
    data, ground = mujoco.MjData(model), model.geom("ground").id
    data.qpos[:7] = [0.0, 0.0, 0.757, 1.0, 0.0, 0.0, 0.0]
    data.qpos[model.jnt_qposadr[joint_ids(model)]] = data.ctrl[:] = G1.default_joint_pos
    forces, wrench, touching = [], np.zeros(6), set()
    for _ in range(100):
        mujoco.mj_step(model, data)
        forces.append(0.0)
        for index in range(data.ncon):
            mujoco.mj_contactForce(model, data, index, wrench)
            forces[-1] += wrench[0]
            touching |= (
                set(model.geom_bodyid[data.contact[index].geom]) if ground in data.contact[index].geom else set()
            )
    assert touching == {0, model.body("left_ankle_roll_link").id, model.body("right_ankle_roll_link").id}
    assert np.mean(forces) == pytest.approx(327.0, rel=0.05)
