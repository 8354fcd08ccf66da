"""``physics=mujoco_cpu``: the motion is native MuJoCo's and agrees with MuJoCo Warp's."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
import torch
from mujoco_cpu_envs import GRAVITY, Envs, assert_matches_reference
from newton.solvers import SolverMuJoCo

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def envs():
    result = Envs()
    yield result
    result.close()


def test_control_step_equals_mj_step(envs):
    envs.place_at_random(0.8, seed=1)
    references = envs.reference_steps(envs.decimation)
    envs.step()
    assert_matches_reference(envs, references)
    expected = [data.qacc_warmstart for data in references]
    np.testing.assert_allclose(envs.data.qacc_warmstart.numpy(), expected, rtol=1e-5, atol=1e-3)


def test_warm_start_is_kept_between_control_steps(envs):
    envs.place(0.757)
    for _ in range(5):
        envs.step()
    assert np.abs(envs.data.qacc_warmstart.numpy()).max() > 0.1
    references = envs.reference_steps(envs.decimation)
    envs.step()
    assert_matches_reference(envs, references)


def test_threads_do_not_change_a_bit(envs):
    states = []
    for num_threads in (1, 2, 3):
        envs.solver.use_threads(num_threads)
        assert envs.solver.num_threads == num_threads
        envs.place_at_random(0.8, seed=2)
        for step in range(10):
            envs.step(envs.default + 0.2 * np.sin(step))
        states.append((envs.state(), envs.contact.data.net_normal_forces_w.torch.clone()))
    for state, forces in states[1:]:
        assert np.array_equal(state, states[0][0])
        assert torch.equal(forces, states[0][1])


def test_one_step_agrees_with_mujoco_warp(envs):
    """The other solver in float32: 1e-3 of the velocity where nothing touches, contacts included 2e-2."""
    for height, seed in ((3.0, 3), (0.8, 4)):
        envs.place_at_random(height, seed)
        start = envs.newton_state()
        backend, solver = envs.manager.backend, envs.solver
        solver.step(backend.state_0, backend.state_0, backend.control, None, envs.dt)
        ours = envs.data.qvel.numpy().copy()
        touching = solver._records._count.numpy() > 0
        envs.restore(start)
        SolverMuJoCo.step(solver, backend.state_0, backend.state_0, backend.control, None, envs.dt)
        difference = np.linalg.norm(envs.data.qvel.numpy() - ours, axis=1) / np.linalg.norm(ours, axis=1)
        assert difference[~touching].max(initial=0.0) < 1e-3
        assert difference.max() < 2e-2
        envs.data.nacon.zero_()


def test_small_motion_stays_with_mujoco_warp(envs):
    """Half a second standing on stiff gains, knees and arms moving: stable, so float32 rounding does not grow."""
    envs.stiffen(10.0)
    backend, paths = envs.manager.backend, []
    for step_with in (envs.solver.step, lambda *args: SolverMuJoCo.step(envs.solver, *args)):
        envs.place()
        for step in range(25):
            envs.set_target(envs.default + 0.05 * np.sin(0.04 * np.pi * step))
            for _ in range(envs.decimation):
                step_with(backend.state_0, backend.state_0, backend.control, None, envs.dt)
        paths.append(np.concatenate(envs.newton_state()))
    envs.stiffen(1.0)
    envs.data.nacon.zero_()
    np.testing.assert_allclose(paths[0], paths[1], atol=1e-4)


def test_free_flight_falls_with_g_and_keeps_angular_momentum(envs):
    """Differences over a step carry a first-order error, so two step lengths are extrapolated to zero."""
    rates = {step: momentum_rates(envs, step) for step in (2e-3, 1e-3)}
    acceleration, torque = (2.0 * short - long for short, long in zip(rates[1e-3][:2], rates[2e-3][:2], strict=True))
    np.testing.assert_allclose(acceleration, [[0.0, 0.0, -GRAVITY]] * envs.num_envs, atol=1e-3 * GRAVITY)
    drift = np.linalg.norm(torque, axis=1) * envs.dt / np.linalg.norm(rates[1e-3][2], axis=1)
    assert drift.max() < 1e-3


def momentum_rates(envs: Envs, timestep: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Acceleration of the centre of mass [m/s^2], torque about it [N m], angular momentum [kg m^2/s] over a step."""
    twist = torch.randn(envs.num_envs, 6, generator=torch.Generator().manual_seed(5))
    envs.place(3.0, joint_vel=0.5 * torch.ones_like(envs.default), twist=twist)
    envs.load()
    before = [momentum(model, data) for model, data in snapshots(envs)]
    backend = envs.manager.backend
    envs.solver.step(backend.state_0, backend.state_0, backend.control, None, timestep)
    after = [momentum(model, data) for model, data in snapshots(envs)]
    rates = (np.array(after) - np.array(before)) / timestep
    return rates[:, 0], rates[:, 1], np.array(after)[:, 1]


def snapshots(envs: Envs):
    for env_id, model in enumerate(envs.manager.env_models()):
        data = mujoco.MjData(model)
        data.qpos[:], data.qvel[:] = envs.data.qpos.numpy()[env_id], envs.data.qvel.numpy()[env_id]
        mujoco.mj_forward(model, data)
        yield model, data


def momentum(model: mujoco.MjModel, data: mujoco.MjData) -> tuple[np.ndarray, np.ndarray]:
    """Velocity of the centre of mass [m/s] and angular momentum about it [kg m^2/s]."""
    mujoco.mj_subtreeVel(model, data)
    return data.subtree_linvel[1].copy(), data.subtree_angmom[1].copy()


def test_folded_decimation_equals_single_physics_steps(envs):
    envs.place_at_random(0.8, seed=9)
    start = envs.newton_state()
    envs.step()
    folded = envs.state()
    envs.place_at_random(0.8, seed=9)
    envs.restore(start)
    envs.manager.set_decimation(1)
    for _ in range(envs.decimation):
        envs.sim.step(render=False)
    envs.manager.set_decimation(envs.decimation)
    np.testing.assert_allclose(envs.state(), folded, rtol=1e-4, atol=1e-4)


def test_a_joint_without_drive_is_not_folded(envs):
    envs.robot.write_joint_stiffness_to_sim_index(stiffness=0.0 * envs.stiffness)
    envs.robot.write_joint_damping_to_sim_index(damping=0.0 * envs.damping)
    envs.manager.set_decimation(4)
    assert not envs.manager.handles_decimation()
    envs.stiffen(1.0)
    envs.manager.set_decimation(4)
    assert envs.manager.handles_decimation()
