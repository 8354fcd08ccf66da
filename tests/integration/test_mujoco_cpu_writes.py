"""``physics=mujoco_cpu``: what Isaac Lab writes reaches the env it was written for, and no other."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from isaaclab.envs import mdp
from isaaclab.managers import EventTermCfg, SceneEntityCfg
from mujoco_cpu_envs import GRAVITY, Envs, assert_matches_reference

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def envs():
    result = Envs()
    yield result
    result.close()


def test_randomised_parameters_reach_their_env_only(envs):
    """Friction, mass, centre of mass and gains of env 1 change; its model does, and its motion is mj_step's."""
    robot, env_ids = envs.robot, torch.tensor([1], dtype=torch.int32)
    torso = torch.tensor(robot.find_bodies("torso_link")[0], dtype=torch.int32)
    envs.place_at_random(0.8, seed=6)
    envs.step()
    assert len({id(model) for model in envs.manager.env_models()}) == 1

    mass, com = robot.data.body_mass.torch.clone(), robot.data.body_com_pos_b.torch.clone()
    robot.set_masses_index(masses=mass[1:2, torso] + 2.0, body_ids=torso, env_ids=env_ids)
    robot.set_coms_index(coms=com[1:2, torso] + 0.04, body_ids=torso, env_ids=env_ids)
    robot.write_joint_stiffness_to_sim_index(stiffness=envs.stiffness[1:2] * 1.5, env_ids=env_ids)
    randomise_friction(envs, env_ids, 0.35)
    envs.step()

    models = envs.manager.env_models()
    body = next(i for i in range(models[0].nbody) if models[0].body(i).name.endswith("torso_link"))
    assert models[1] is not models[0] and models[2] is models[0]
    assert models[1].body_mass[body] == pytest.approx(models[0].body_mass[body] + 2.0, rel=1e-5)
    np.testing.assert_allclose(models[1].body_ipos[body], models[0].body_ipos[body] + 0.04, atol=1e-6)
    np.testing.assert_allclose(models[1].actuator_gainprm[::2, 0], 1.5 * models[0].actuator_gainprm[::2, 0], rtol=1e-5)
    robot_geoms = models[1].geom_bodyid > 0
    np.testing.assert_allclose(models[1].geom_friction[robot_geoms, 0], 0.35, rtol=1e-5)

    envs.place_at_random(0.8, seed=6)
    references = envs.reference_steps(envs.decimation)
    envs.step()
    assert_matches_reference(envs, references)

    robot.set_masses_index(masses=mass[1:2, torso], body_ids=torso, env_ids=env_ids)
    robot.set_coms_index(coms=com[1:2, torso], body_ids=torso, env_ids=env_ids)
    randomise_friction(envs, env_ids, 1.0)
    envs.stiffen(1.0)


def randomise_friction(envs: Envs, env_ids: torch.Tensor, value: float) -> None:
    params = {
        "static_friction_range": (value, value),
        "dynamic_friction_range": (value, value),
        "restitution_range": (0.0, 0.0),
        "num_buckets": 1,
        "asset_cfg": SceneEntityCfg("robot"),
    }
    env = SimpleNamespace(scene=envs.scene, sim=envs.sim, device="cpu", num_envs=envs.num_envs)
    term = mdp.randomize_rigid_body_material(EventTermCfg(func=mdp.randomize_rigid_body_material, params=params), env)
    term(env, env_ids, **params)


def test_reset_of_one_env_leaves_the_others_alone(envs):
    envs.place_at_random(0.8, seed=7)
    start = envs.newton_state()
    for _ in range(3):
        envs.step()
    undisturbed = envs.state()
    envs.place_at_random(0.8, seed=7)
    envs.restore(start)
    envs.step()
    pose = torch.zeros(1, 7)
    pose[:, :3] = envs.scene.env_origins[2] + torch.tensor([0.0, 0.0, 1.5])
    pose[:, 6] = 1.0
    env_ids = torch.tensor([2], dtype=torch.int32)
    envs.robot.write_root_link_pose_to_sim_index(root_pose=pose, env_ids=env_ids)
    envs.robot.write_root_link_velocity_to_sim_index(root_velocity=torch.zeros(1, 6), env_ids=env_ids)
    envs.manager.forward()
    assert (envs.data.qacc_warmstart.numpy()[2] == 0.0).all()
    envs.step()
    fallen = 1.5 - 0.5 * GRAVITY * 0.02**2
    assert float(envs.robot.data.root_link_pos_w.torch[2, 2]) == pytest.approx(fallen, abs=0.02)
    envs.step()
    others = [0, 1, 3, 4, 5]
    assert np.array_equal(envs.state()[others], undisturbed[others])


def test_diverged_env_comes_back_as_nan_and_recovers_after_a_reset(envs):
    envs.place_at_random(0.8, seed=8)
    envs.step()
    expected = envs.state()
    envs.place_at_random(0.8, seed=8)
    joints = envs.robot.data.joint_vel.torch[3:4].clone()
    joints[:] = float("nan")
    env_ids = torch.tensor([3], dtype=torch.int32)
    envs.robot.write_joint_velocity_to_sim_index(velocity=joints, env_ids=env_ids)
    envs.step()
    others = [0, 1, 2, 4, 5]
    assert np.isnan(envs.state()[3]).all()
    assert np.array_equal(envs.state()[others], expected[others])
    assert envs.contact.data.net_normal_forces_w.torch.isfinite().all()
    envs.place_at_random(0.8, seed=8)
    envs.step()
    assert np.array_equal(envs.state(), expected)


def test_body_force_accelerates_the_robot(envs):
    """50 N up on the torso of env 0 for one control step: the centre of mass gains F t / m over the others."""
    envs.place(3.0)
    force = torch.zeros(1, 1, 3)
    force[..., 2] = 50.0
    torso = torch.tensor(envs.robot.find_bodies("torso_link")[0], dtype=torch.int32)
    envs.robot.instantaneous_wrench_composer.set_forces_and_torques_index(
        forces=force, torques=torch.zeros(1, 1, 3), body_ids=torso, env_ids=torch.tensor([0], dtype=torch.int32)
    )
    envs.step()
    gained = (envs.centre_of_mass_velocity()[0] - envs.centre_of_mass_velocity()[1])[2]
    mass = float(envs.robot.data.body_mass.torch[0].sum())
    assert float(gained) == pytest.approx(50.0 * 0.02 / mass, rel=1e-3)
