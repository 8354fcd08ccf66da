"""``physics=mujoco_cpu``: the motion is MuJoCo's, whatever Isaac Lab writes, and contacts are reported."""

from __future__ import annotations

from types import SimpleNamespace

import mujoco
import numpy as np
import pytest
import torch
from isaaclab.envs import mdp
from isaaclab.managers import EventTermCfg, SceneEntityCfg
from mujoco_cpu_worlds import Worlds
from newton.solvers import SolverMuJoCo

from whole_body_tracking.robots.g1_cfg import G1_FOUR_POINT_FEET_CFG

pytestmark = pytest.mark.integration

GRAVITY = 9.81


@pytest.fixture(scope="module")
def worlds():
    result = Worlds()
    yield result
    result.close()


def assert_matches_reference(worlds: Worlds, references: list[mujoco.MjData]) -> None:
    expected = np.array([np.concatenate([data.qpos, data.qvel]) for data in references])
    np.testing.assert_allclose(worlds.state(), expected, rtol=1e-6, atol=1e-6)


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


def test_contact_forces_carry_the_weight(worlds):
    """Over 0.5 s the mean contact force is m (g + a), with the acceleration of the centre of mass."""
    worlds.stiffen(10.0)
    worlds.place(0.757)
    for _ in range(10):
        worlds.step()
    velocity, total = worlds.centre_of_mass_velocity(), 0.0
    for _ in range(25):
        worlds.step()
        total = total + worlds.contact.data.net_normal_forces_w.torch.sum(1)[:, 2] / 25
    mass = worlds.robot.data.body_mass.torch.sum(1)
    acceleration = (worlds.centre_of_mass_velocity() - velocity)[:, 2] / 0.5
    weight = mass * GRAVITY
    worlds.stiffen(1.0)
    np.testing.assert_allclose(total, mass * (GRAVITY + acceleration), atol=0.02 * float(weight[0]))


def test_contact_forces_belong_to_the_bodies_that_touch(worlds):
    """Dropped on its back without drive, the robot rests on several bodies, on no more than there is room for."""
    worlds.stiffen(0.05)
    worlds.place(0.4, quat=(0.0, -0.7071, 0.0, 0.7071))
    for _ in range(50):
        worlds.step()
    forces = worlds.contact.data.net_normal_forces_w.torch.norm(dim=-1)
    touching = [worlds.contact.sensor_names[body] for body in (forces[0] > 1.0).nonzero().flatten()]
    counts = worlds.solver._records._count.numpy()
    worlds.stiffen(1.0)
    assert len(touching) >= 3 and not any("ankle_pitch" in name for name in touching), touching
    assert counts.max() <= 0.8 * worlds.solver._records.slots
    assert worlds.contact.data.net_normal_forces_w_history.torch.shape[1] == 3


def test_contact_forces_agree_with_mujoco_warp(worlds):
    worlds.stiffen(10.0)
    worlds.place(0.757)
    for _ in range(10):
        worlds.step()
    start, warm_start = worlds.newton_state(), worlds.data.qacc_warmstart.numpy().copy()
    manager, backend, solver = worlds.manager, worlds.manager.backend, worlds.solver
    sensor = next(iter(manager._newton_contact_sensors.values()))
    solver.step(backend.state_0, backend.state_0, backend.control, None, worlds.dt)
    manager._update_sensors(None)
    ours = sensor.total_force.numpy().copy()
    worlds.restore(start, warm_start)
    SolverMuJoCo.step(solver, backend.state_0, backend.state_0, backend.control, None, worlds.dt)
    SolverMuJoCo.update_contacts(solver, manager._contacts, backend.state_0)
    sensor.update(backend.state_0, manager._contacts)
    worlds.stiffen(1.0)
    worlds.data.nacon.zero_()
    np.testing.assert_allclose(ours, sensor.total_force.numpy(), atol=0.01 * 33.34 * GRAVITY)
    assert np.abs(ours).max() > 50.0


def test_randomised_parameters_reach_their_world_only(worlds):
    """Friction, mass, centre of mass and gains of world 1 change; its model does, and its motion is mj_step's."""
    robot, env_ids = worlds.robot, torch.tensor([1], dtype=torch.int32)
    torso = torch.tensor(robot.find_bodies("torso_link")[0], dtype=torch.int32)
    worlds.place_at_random(0.8, seed=6)
    worlds.step()
    assert len({id(model) for model in worlds.manager.world_models()}) == 1

    mass, com = robot.data.body_mass.torch.clone(), robot.data.body_com_pos_b.torch.clone()
    robot.set_masses_index(masses=mass[1:2, torso] + 2.0, body_ids=torso, env_ids=env_ids)
    robot.set_coms_index(coms=com[1:2, torso] + 0.04, body_ids=torso, env_ids=env_ids)
    robot.write_joint_stiffness_to_sim_index(stiffness=worlds.stiffness[1:2] * 1.5, env_ids=env_ids)
    randomise_friction(worlds, env_ids, 0.35)
    worlds.step()

    models = worlds.manager.world_models()
    body = next(i for i in range(models[0].nbody) if models[0].body(i).name.endswith("torso_link"))
    assert models[1] is not models[0] and models[2] is models[0]
    assert models[1].body_mass[body] == pytest.approx(models[0].body_mass[body] + 2.0, rel=1e-5)
    np.testing.assert_allclose(models[1].body_ipos[body], models[0].body_ipos[body] + 0.04, atol=1e-6)
    np.testing.assert_allclose(models[1].actuator_gainprm[::2, 0], 1.5 * models[0].actuator_gainprm[::2, 0], rtol=1e-5)
    robot_geoms = models[1].geom_bodyid > 0
    np.testing.assert_allclose(models[1].geom_friction[robot_geoms, 0], 0.35, rtol=1e-5)

    worlds.place_at_random(0.8, seed=6)
    references = worlds.reference_steps(worlds.decimation)
    worlds.step()
    assert_matches_reference(worlds, references)

    robot.set_masses_index(masses=mass[1:2, torso], body_ids=torso, env_ids=env_ids)
    robot.set_coms_index(coms=com[1:2, torso], body_ids=torso, env_ids=env_ids)
    randomise_friction(worlds, env_ids, 1.0)
    worlds.stiffen(1.0)


def randomise_friction(worlds: Worlds, env_ids: torch.Tensor, value: float) -> None:
    params = {
        "static_friction_range": (value, value),
        "dynamic_friction_range": (value, value),
        "restitution_range": (0.0, 0.0),
        "num_buckets": 1,
        "asset_cfg": SceneEntityCfg("robot"),
    }
    env = SimpleNamespace(scene=worlds.scene, sim=worlds.sim, device="cpu", num_envs=worlds.num_worlds)
    term = mdp.randomize_rigid_body_material(EventTermCfg(func=mdp.randomize_rigid_body_material, params=params), env)
    term(env, env_ids, **params)


def test_reset_of_one_world_leaves_the_others_alone(worlds):
    worlds.place_at_random(0.8, seed=7)
    start = worlds.newton_state()
    for _ in range(3):
        worlds.step()
    undisturbed = worlds.state()
    worlds.place_at_random(0.8, seed=7)
    worlds.restore(start)
    worlds.step()
    pose = torch.zeros(1, 7)
    pose[:, :3] = worlds.scene.env_origins[2] + torch.tensor([0.0, 0.0, 1.5])
    pose[:, 6] = 1.0
    world = torch.tensor([2], dtype=torch.int32)
    worlds.robot.write_root_link_pose_to_sim_index(root_pose=pose, env_ids=world)
    worlds.robot.write_root_link_velocity_to_sim_index(root_velocity=torch.zeros(1, 6), env_ids=world)
    worlds.manager.forward()
    assert (worlds.data.qacc_warmstart.numpy()[2] == 0.0).all()
    worlds.step()
    fallen = 1.5 - 0.5 * GRAVITY * 0.02**2
    assert float(worlds.robot.data.root_link_pos_w.torch[2, 2]) == pytest.approx(fallen, abs=0.02)
    worlds.step()
    others = [0, 1, 3, 4, 5]
    assert np.array_equal(worlds.state()[others], undisturbed[others])


def test_diverged_world_comes_back_as_nan_and_recovers_after_a_reset(worlds):
    worlds.place_at_random(0.8, seed=8)
    worlds.step()
    expected = worlds.state()
    worlds.place_at_random(0.8, seed=8)
    joints = worlds.robot.data.joint_vel.torch[3:4].clone()
    joints[:] = float("nan")
    world = torch.tensor([3], dtype=torch.int32)
    worlds.robot.write_joint_velocity_to_sim_index(velocity=joints, env_ids=world)
    worlds.step()
    others = [0, 1, 2, 4, 5]
    assert np.isnan(worlds.state()[3]).all()
    assert np.array_equal(worlds.state()[others], expected[others])
    assert worlds.contact.data.net_normal_forces_w.torch.isfinite().all()
    worlds.place_at_random(0.8, seed=8)
    worlds.step()
    assert np.array_equal(worlds.state(), expected)


def test_body_force_accelerates_the_robot(worlds):
    """50 N up on the torso of world 0 for one control step: the centre of mass gains F t / m over the others."""
    worlds.place(3.0)
    force = torch.zeros(1, 1, 3)
    force[..., 2] = 50.0
    torso = torch.tensor(worlds.robot.find_bodies("torso_link")[0], dtype=torch.int32)
    worlds.robot.instantaneous_wrench_composer.set_forces_and_torques_index(
        forces=force, torques=torch.zeros(1, 1, 3), body_ids=torso, env_ids=torch.tensor([0], dtype=torch.int32)
    )
    worlds.step()
    gained = (worlds.centre_of_mass_velocity()[0] - worlds.centre_of_mass_velocity()[1])[2]
    mass = float(worlds.robot.data.body_mass.torch[0].sum())
    assert float(gained) == pytest.approx(50.0 * 0.02 / mass, rel=1e-3)


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


def test_four_point_feet_at_ten_milliseconds(worlds):
    """The light preset, held by its own gains: feet only, four contacts each, and their forces carry the robot."""
    worlds.close()
    light = Worlds(num_worlds=2, dt=0.01, decimation=2, robot=G1_FOUR_POINT_FEET_CFG)
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
