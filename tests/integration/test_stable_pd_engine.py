"""Stable PD control in ``physics=mujoco_cpu``: the pure formula's numbers, in one call per control step."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
import torch
from mujoco_cpu_envs import Envs

from whole_body_tracking.actuation.binding import actuation_kind, bind_actuators, drive_gains, joint_torque
from whole_body_tracking.actuation.dynamics import EngineDynamics
from whole_body_tracking.actuation.stable_pd import stable_pd_torque
from whole_body_tracking.actuation.stable_pd_cfg import stable_pd_group
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.g1_cfg import G1_CFG

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def envs():
    robot = G1_CFG.replace(actuators={"stable_pd": stable_pd_group(G1)})
    result = Envs(num_envs=3, robot=robot, use_newton_actuators=False)
    bind_actuators(result.robot, result.dt)
    yield result
    result.close()


def reference_torque(
    model: mujoco.MjModel, data: mujoco.MjData, target: np.ndarray, contacts: np.ndarray
) -> np.ndarray:
    """Torques of the pure formula after ``mj_step1``; joints are in MuJoCo's order, as the G1's are."""
    mass = np.zeros((model.nv, model.nv))
    mujoco.mj_fullM(model, data, mass)
    known = data.qfrc_bias - data.qfrc_passive - contacts
    given = (mass, known, data.qpos[7:], data.qvel[6:], target, G1.stiffness, G1.damping)
    tensors = (torch.from_numpy(np.array(value, dtype=np.float64)) for value in given)
    return stable_pd_torque(*tensors, model.opt.timestep, torch.from_numpy(np.array(G1.effort_limit))).numpy()


def test_every_substep_has_the_formulas_torque(envs):
    """Two control steps onto the ground: contacts of the last substep are counted, across control steps too."""
    assert envs.manager.handles_decimation()
    envs.place_at_random(0.8, seed=1)
    target = envs.default + 0.2
    envs.load()
    models, states = envs.manager.env_models(), []
    for env_id, model in enumerate(models):
        model.opt.timestep = envs.dt
        data, contacts = mujoco.MjData(model), np.zeros(model.nv)
        data.qpos[:], data.qvel[:] = envs.data.qpos.numpy()[env_id], envs.data.qvel.numpy()[env_id]
        for _ in range(2 * envs.decimation):
            mujoco.mj_step1(model, data)
            data.qfrc_applied[6:] = torque = reference_torque(model, data, target[env_id].numpy(), contacts)
            mujoco.mj_step2(model, data)
            contacts = data.qfrc_constraint.copy()
        states.append(np.concatenate((data.qpos, data.qvel, torque)))
    envs.step(target)
    envs.step(target)
    assert max(np.abs(state[7:36]).max() for state in states) > 0.1
    found = np.concatenate((envs.state(), joint_torque(envs.robot).numpy()), axis=1)
    # The state is rounded to single precision once between the control steps.
    np.testing.assert_allclose(found, states, rtol=1e-4, atol=2e-4)


def test_newtons_own_dynamics_give_the_same_torque_while_the_root_moves(envs):
    """Mass matrix and bias as newton_mjwarp takes them, at 1 m/s and 1 rad/s and joints at 1 rad/s."""
    envs.place_at_random(2.0, seed=3)
    envs.load()
    dynamics, data = EngineDynamics(envs.robot), envs.robot.data
    mass_matrix = dynamics.mass_matrix()
    joints = (data.joint_pos.torch, data.joint_vel.torch, envs.default)
    gains = (torch.tensor(np.array(values), dtype=torch.float32) for values in (G1.stiffness, G1.damping))
    limit = torch.tensor(np.array(G1.effort_limit), dtype=torch.float32)
    found = stable_pd_torque(mass_matrix, dynamics.bias(mass_matrix), *joints, *gains, envs.dt, limit).numpy()
    for env_id, model in enumerate(envs.manager.env_models()):
        model.opt.timestep = envs.dt
        native = mujoco.MjData(model)
        native.qpos[:], native.qvel[:] = envs.data.qpos.numpy()[env_id], envs.data.qvel.numpy()[env_id]
        mujoco.mj_step1(model, native)
        expected = reference_torque(model, native, envs.default[env_id].numpy(), np.zeros(model.nv))
        np.testing.assert_allclose(found[env_id], expected, rtol=0.0, atol=2e-6 * np.abs(expected).max())


def test_the_robot_says_how_it_is_driven(envs):
    assert actuation_kind(envs.robot) == "stable_pd_contacts"
    stiffness, damping = drive_gains(envs.robot)
    np.testing.assert_allclose(stiffness[0], G1.stiffness, rtol=1e-6)
    np.testing.assert_allclose(damping[0], G1.damping, rtol=1e-6)


def test_ten_times_the_gains_stand(envs):
    """One second on stiff legs: the default pose is held, at rest."""
    actuator = envs.robot.actuators["stable_pd"]
    actuator.stiffness *= 10.0
    actuator.damping *= 10.0
    envs.place()
    for _ in range(50):
        envs.step(envs.default)
    assert envs.robot.data.root_link_pos_w.torch[:, 2].min() > 0.7
    assert envs.robot.data.joint_vel.torch.abs().max() < 0.5
    actuator.stiffness /= 10.0
    actuator.damping /= 10.0


def test_a_reset_forgets_contact_forces(envs):
    native = envs.solver.stable_pd
    assert np.abs(native.constraint).max() > 1.0
    envs.scene.reset()
    assert np.abs(native.constraint).max() == 0.0
