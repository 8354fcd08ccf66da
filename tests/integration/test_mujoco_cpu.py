"""``physics=mujoco_cpu``: the motion is native MuJoCo's and agrees with MuJoCo Warp's."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
import torch
from mujoco_cpu_worlds import GRAVITY, Worlds, assert_matches_reference
from newton.solvers import SolverMuJoCo

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def worlds():
    result = Worlds()
    yield result
    result.close()


def test_control_step_equals_mj_step(worlds):
    worlds.place_at_random(0.8, seed=1)
    references = worlds.reference_steps(worlds.decimation)
    worlds.step()
    assert_matches_reference(worlds, references)
    expected = [data.qacc_warmstart for data in references]
    np.testing.assert_allclose(worlds.data.qacc_warmstart.numpy(), expected, rtol=1e-5, atol=1e-3)


def test_warm_start_is_kept_between_control_steps(worlds):
    worlds.place(0.757)
    for _ in range(5):
        worlds.step()
    assert np.abs(worlds.data.qacc_warmstart.numpy()).max() > 0.1
    references = worlds.reference_steps(worlds.decimation)
    worlds.step()
    assert_matches_reference(worlds, references)


def test_threads_do_not_change_a_bit(worlds):
    states = []
    for num_threads in (1, 2, 3):
        worlds.solver.use_threads(num_threads)
        assert worlds.solver.num_threads == num_threads
        worlds.place_at_random(0.8, seed=2)
        for step in range(10):
            worlds.step(worlds.default + 0.2 * np.sin(step))
        states.append((worlds.state(), worlds.contact.data.net_normal_forces_w.torch.clone()))
    for state, forces in states[1:]:
        assert np.array_equal(state, states[0][0])
        assert torch.equal(forces, states[0][1])


def test_one_step_agrees_with_mujoco_warp(worlds):
    """The other solver in float32: 1e-3 of the velocity where nothing touches, contacts included 2e-2."""
    for height, seed in ((3.0, 3), (0.8, 4)):
        worlds.place_at_random(height, seed)
        start = worlds.newton_state()
        backend, solver = worlds.manager.backend, worlds.solver
        solver.step(backend.state_0, backend.state_0, backend.control, None, worlds.dt)
        ours = worlds.data.qvel.numpy().copy()
        touching = solver._records._count.numpy() > 0
        worlds.restore(start)
        SolverMuJoCo.step(solver, backend.state_0, backend.state_0, backend.control, None, worlds.dt)
        difference = np.linalg.norm(worlds.data.qvel.numpy() - ours, axis=1) / np.linalg.norm(ours, axis=1)
        assert difference[~touching].max(initial=0.0) < 1e-3
        assert difference.max() < 2e-2
        worlds.data.nacon.zero_()


def test_small_motion_stays_with_mujoco_warp(worlds):
    """Half a second standing on stiff gains, knees and arms moving: stable, so float32 rounding does not grow."""
    worlds.stiffen(10.0)
    backend, paths = worlds.manager.backend, []
    for step_with in (worlds.solver.step, lambda *args: SolverMuJoCo.step(worlds.solver, *args)):
        worlds.place()
        for step in range(25):
            worlds.set_target(worlds.default + 0.05 * np.sin(0.04 * np.pi * step))
            for _ in range(worlds.decimation):
                step_with(backend.state_0, backend.state_0, backend.control, None, worlds.dt)
        paths.append(np.concatenate(worlds.newton_state()))
    worlds.stiffen(1.0)
    worlds.data.nacon.zero_()
    np.testing.assert_allclose(paths[0], paths[1], atol=1e-4)


def test_free_flight_falls_with_g_and_keeps_angular_momentum(worlds):
    """Differences over a step carry a first-order error, so two step lengths are extrapolated to zero."""
    rates = {step: momentum_rates(worlds, step) for step in (2e-3, 1e-3)}
    acceleration, torque = (2.0 * short - long for short, long in zip(rates[1e-3][:2], rates[2e-3][:2], strict=True))
    np.testing.assert_allclose(acceleration, [[0.0, 0.0, -GRAVITY]] * worlds.num_worlds, atol=1e-3 * GRAVITY)
    drift = np.linalg.norm(torque, axis=1) * worlds.dt / np.linalg.norm(rates[1e-3][2], axis=1)
    assert drift.max() < 1e-3


def momentum_rates(worlds: Worlds, timestep: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Acceleration of the centre of mass [m/s^2], torque about it [N m], angular momentum [kg m^2/s] over a step."""
    twist = torch.randn(worlds.num_worlds, 6, generator=torch.Generator().manual_seed(5))
    worlds.place(3.0, joint_vel=0.5 * torch.ones_like(worlds.default), twist=twist)
    worlds.load()
    before = [momentum(model, data) for model, data in snapshots(worlds)]
    backend = worlds.manager.backend
    worlds.solver.step(backend.state_0, backend.state_0, backend.control, None, timestep)
    after = [momentum(model, data) for model, data in snapshots(worlds)]
    rates = (np.array(after) - np.array(before)) / timestep
    return rates[:, 0], rates[:, 1], np.array(after)[:, 1]


def snapshots(worlds: Worlds):
    for world, model in enumerate(worlds.manager.world_models()):
        data = mujoco.MjData(model)
        data.qpos[:], data.qvel[:] = worlds.data.qpos.numpy()[world], worlds.data.qvel.numpy()[world]
        mujoco.mj_forward(model, data)
        yield model, data


def momentum(model: mujoco.MjModel, data: mujoco.MjData) -> tuple[np.ndarray, np.ndarray]:
    """Velocity of the centre of mass [m/s] and angular momentum about it [kg m^2/s]."""
    mujoco.mj_subtreeVel(model, data)
    return data.subtree_linvel[1].copy(), data.subtree_angmom[1].copy()


def test_folded_decimation_equals_single_physics_steps(worlds):
    worlds.place_at_random(0.8, seed=9)
    start = worlds.newton_state()
    worlds.step()
    folded = worlds.state()
    worlds.place_at_random(0.8, seed=9)
    worlds.restore(start)
    worlds.manager.set_decimation(1)
    for _ in range(worlds.decimation):
        worlds.sim.step(render=False)
    worlds.manager.set_decimation(worlds.decimation)
    np.testing.assert_allclose(worlds.state(), folded, rtol=1e-4, atol=1e-4)


def test_a_joint_without_drive_is_not_folded(worlds):
    worlds.robot.write_joint_stiffness_to_sim_index(stiffness=0.0 * worlds.stiffness)
    worlds.robot.write_joint_damping_to_sim_index(damping=0.0 * worlds.damping)
    worlds.manager.set_decimation(4)
    assert not worlds.manager.handles_decimation()
    worlds.stiffen(1.0)
    worlds.manager.set_decimation(4)
    assert worlds.manager.handles_decimation()
