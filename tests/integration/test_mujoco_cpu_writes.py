"""``physics=mujoco_cpu``: what Isaac Lab writes reaches the world it was written for, and no other."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from isaaclab.envs import mdp
from isaaclab.managers import EventTermCfg, SceneEntityCfg
from mujoco_cpu_worlds import GRAVITY, Worlds, assert_matches_reference

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def worlds():
    result = Worlds()
    yield result
    result.close()


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
