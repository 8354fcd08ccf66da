"""``physics=mujoco_cpu``: contact forces by body, accelerations and wrenches."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from mujoco_cpu_envs import GRAVITY, Envs
from newton.solvers import SolverMuJoCo

from whole_body_tracking.robots.g1_cfg import G1_FOUR_POINT_FEET_CFG

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def envs():
    result = Envs()
    yield result
    result.close()


def test_contact_forces_carry_the_weight(envs):
    """Over 0.5 s the mean contact force is m (g + a), with the acceleration of the centre of mass."""
    envs.stiffen(10.0)
    envs.place(0.757)
    for _ in range(10):
        envs.step()
    velocity, total = envs.centre_of_mass_velocity(), 0.0
    for _ in range(25):
        envs.step()
        total = total + envs.contact.data.net_normal_forces_w.torch.sum(1)[:, 2] / 25
    mass = envs.robot.data.body_mass.torch.sum(1)
    acceleration = (envs.centre_of_mass_velocity() - velocity)[:, 2] / 0.5
    weight = mass * GRAVITY
    envs.stiffen(1.0)
    np.testing.assert_allclose(total, mass * (GRAVITY + acceleration), atol=0.02 * float(weight[0]))


def test_contact_forces_belong_to_the_bodies_that_touch(envs):
    """Dropped on its back without drive, the robot rests on several bodies, on no more than there is room for."""
    envs.stiffen(0.05)
    envs.place(0.4, quat=(0.0, -0.7071, 0.0, 0.7071))
    for _ in range(50):
        envs.step()
    forces = envs.contact.data.net_normal_forces_w.torch.norm(dim=-1)
    touching = [envs.contact.sensor_names[body] for body in (forces[0] > 1.0).nonzero().flatten()]
    counts = envs.solver._records._count.numpy()
    envs.stiffen(1.0)
    assert len(touching) >= 3 and not any("ankle_pitch" in name for name in touching), touching
    assert counts.max() <= 0.8 * envs.solver._records.slots
    assert envs.contact.data.net_normal_forces_w_history.torch.shape[1] == 3


def test_contact_forces_agree_with_mujoco_warp(envs):
    envs.stiffen(10.0)
    envs.place(0.757)
    for _ in range(10):
        envs.step()
    start, warm_start = envs.newton_state(), envs.data.qacc_warmstart.numpy().copy()
    manager, backend, solver = envs.manager, envs.manager.backend, envs.solver
    sensor = next(iter(manager._newton_contact_sensors.values()))
    solver.step(backend.state_0, backend.state_0, backend.control, None, envs.dt)
    manager._update_sensors(None)
    ours = sensor.total_force.numpy().copy()
    envs.restore(start, warm_start)
    SolverMuJoCo.step(solver, backend.state_0, backend.state_0, backend.control, None, envs.dt)
    SolverMuJoCo.update_contacts(solver, manager._contacts, backend.state_0)
    sensor.update(backend.state_0, manager._contacts)
    envs.stiffen(1.0)
    envs.data.nacon.zero_()
    np.testing.assert_allclose(ours, sensor.total_force.numpy(), atol=0.01 * 33.34 * GRAVITY)
    assert np.abs(ours).max() > 50.0


def test_contacts_beyond_the_room_are_named(envs, caplog):
    records = envs.solver._records
    envs.place()
    envs.step()
    records._count.numpy()[2] = records.slots + 5
    with caplog.at_level(logging.WARNING):
        envs.manager._update_sensors(None)
    assert f"Env 2 made {records.slots + 5} contact records" in caplog.text and "nconmax" in caplog.text
    assert envs.manager._contacts.rigid_contact_count.numpy()[0] <= records.capacity


def test_four_point_feet_at_ten_milliseconds(envs):
    """The light preset, held by its own gains: feet only, four contacts each, and their forces carry the robot."""
    envs.close()
    light = Envs(num_envs=2, dt=0.01, decimation=2, robot=G1_FOUR_POINT_FEET_CFG)
    light.place(0.757)
    for _ in range(5):
        light.step()
    velocity, total, touching = light.centre_of_mass_velocity(), 0.0, set()
    for _ in range(10):
        light.step()
        forces = light.contact.data.net_normal_forces_w.torch[0]
        total = total + forces[:, 2].sum() / 10
        touching |= {light.contact.sensor_names[body] for body in (forces.norm(dim=-1) > 1.0).nonzero().flatten()}
    acceleration = float((light.centre_of_mass_velocity() - velocity)[0, 2]) / 0.2
    mass = float(light.robot.data.body_mass.torch[0].sum())
    most_contacts = light.solver._records._count.numpy().max()
    light.close()
    assert touching == {"left_ankle_roll_link", "right_ankle_roll_link"}
    assert most_contacts <= 2 * 4
    assert float(total) == pytest.approx(mass * (GRAVITY + acceleration), abs=0.02 * mass * GRAVITY)


def test_body_accelerations_and_joint_wrenches_agree_with_mujoco_warp(envs):
    """What the IMU and the joint-wrench sensor read, in m/s^2 and N."""
    envs.close()
    sensed = Envs(num_envs=2, state_attributes=("body_qdd", "body_parent_f"))
    sensed.place()
    for _ in range(5):
        sensed.step()
    start, warm_start = sensed.newton_state(), sensed.data.qacc_warmstart.numpy().copy()
    backend, found = sensed.manager.backend, []
    for step_with in (sensed.solver.step, lambda *args: SolverMuJoCo.step(sensed.solver, *args)):
        sensed.restore(start, warm_start)
        step_with(backend.state_0, backend.state_0, backend.control, None, sensed.dt)
        found.append((backend.state_0.body_qdd.numpy().copy(), backend.state_0.body_parent_f.numpy().copy()))
    sensed.close()
    for ours, theirs in zip(*found, strict=True):
        assert np.abs(ours).max() > 1.0
        np.testing.assert_allclose(ours, theirs, atol=2e-3 * np.abs(theirs).max())
