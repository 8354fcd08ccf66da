"""Build the training environment on one engine and write down the numbers that it holds, as JSON.

An engine needs a process of its own, so the test runs this file as a program:
``task_numbers_probe.py ENGINE OUT.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import gymnasium as gym
import torch
import warp as wp
from isaaclab.app import add_launcher_args, launch_simulation
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.tasks.tracking.mdp.observations import root_link_lin_vel_w

TASK = "Tracking-Flat-G1-v0"
NUM_ENVS = 64
POLICY_COLUMNS = {
    "command": (0, 58), "motion_anchor_pos_b": (58, 61), "motion_anchor_ori_b": (61, 67), "base_lin_vel": (67, 70),
    "base_ang_vel": (70, 73), "joint_pos": (73, 102), "joint_vel": (102, 131), "actions": (131, 160),
}  # fmt: skip
NUM_CRITIC_ONLY = 14 * 9
"""Body positions and orientations, which the critic sees after the anchor's orientation."""


def managers(env) -> dict:
    """What the managers were built with."""
    rewards, terminations, events = env.reward_manager, env.termination_manager, env.event_manager
    reward_cfgs = {name: rewards.get_term_cfg(name) for name in rewards.active_terms}
    termination_cfgs = {name: terminations.get_term_cfg(name) for name in terminations.active_terms}
    push = events.get_term_cfg("push_robot")
    return {
        "rewards": {name: [cfg.weight, cfg.params.get("std")] for name, cfg in reward_cfgs.items()},
        "terminations": {name: [cfg.time_out, cfg.params.get("threshold")] for name, cfg in termination_cfgs.items()},
        "push": [list(push.interval_range_s), push.params["velocity_range"]],
        "events": events.active_terms,
        "steps": {"control": env.step_dt, "physics": env.physics_dt, "episode": int(env.max_episode_length)},
        "contact_bodies": rewards.get_term_cfg("undesired_contacts").params["sensor_cfg"].body_names,
        "num_contact_bodies": len(rewards.get_term_cfg("undesired_contacts").params["sensor_cfg"].body_ids),
    }


def action(env) -> dict:
    """Scale by joint, and how far randomisation moved the offset from the default pose [rad]."""
    term, robot = env.action_manager.get_term("joint_pos"), env.scene["robot"]
    shift = term.offset - term.nominal_offset
    return {
        "scale": dict(zip(term.joint_names, term.scale[0].tolist(), strict=True)),
        "offset_shift": [shift.min().item(), shift.max().item()],
        "default_follows": torch.equal(robot.data.default_joint_pos.torch, term.offset),
    }


def noise(env) -> dict[str, list[float]]:
    """Smallest and largest difference between what policy and critic see, by term."""
    observations, _ = env.reset()
    policy, critic = observations["policy"], observations["critic"]
    shared = torch.cat((critic[:, :67], critic[:, 67 + NUM_CRITIC_ONLY :]), dim=1)
    difference = policy - shared
    return {
        name: [difference[:, a:b].min().item(), difference[:, a:b].max().item()]
        for name, (a, b) in POLICY_COLUMNS.items()
    }


def start_noise(env) -> dict[str, list[float]]:
    """Smallest and largest difference between the robot's root and the reference's right after a reset."""
    motion, robot = env.command_manager.get_term("motion"), env.scene["robot"]
    env.reset()
    start = motion.library.state_at(motion.clip_ids, motion.frames - 1)
    pose = robot.data.root_link_pose_w.torch[:, :3] - env.scene.env_origins - start.body_pos_w[:, motion.root_idx]
    velocity = root_link_lin_vel_w(robot.data)
    speed = velocity - start.body_lin_vel_w[:, motion.root_idx]
    joints = robot.data.joint_pos.torch - start.joint_pos
    values = {"pos": pose, "lin_vel": speed, "joint_pos": joints}
    return {name: [value.amin(0).tolist(), value.amax(0).tolist()] for name, value in values.items()}


def materials(env, engine: str) -> dict:
    """Range of each surface number over all shapes, and how many different surfaces there are."""
    robot = env.scene["robot"]
    if engine == "ovphysx":
        from isaaclab_ov.envs.mdp.events import ovphysx_tt

        rows = wp.to_torch(robot.root_view.get_attribute(ovphysx_tt.SHAPE_FRICTION_AND_RESTITUTION)).flatten(0, -2)
    else:
        from isaaclab_newton.physics import NewtonManager

        rows = wp.to_torch(robot._root_view.get_attribute("shape_material_mu", NewtonManager.get_model())).reshape(
            -1, 1
        )
    rows = rows[rows[:, 0] > 0.0]
    return {"min": rows.amin(0).tolist(), "max": rows.amax(0).tolist(), "distinct": len(torch.unique(rows, dim=0))}


def drop(env) -> None:
    """Put the robots on their backs, 0.4 m above the ground, with a twentieth of their drive."""
    robot, pose = env.scene["robot"], torch.zeros(env.num_envs, 7)
    env.reset()
    pose[:, :3] = env.scene.env_origins + torch.tensor([0.0, 0.0, 0.4])
    pose[:, 3:] = torch.tensor([0.0, -0.7071, 0.0, 0.7071])
    robot.write_joint_stiffness_to_sim_index(stiffness=0.05 * robot.data.joint_stiffness.torch)
    robot.write_joint_damping_to_sim_index(damping=0.05 * robot.data.joint_damping.torch)
    robot.write_root_link_pose_to_sim_index(root_pose=pose)
    robot.write_root_link_velocity_to_sim_index(root_velocity=torch.zeros(env.num_envs, 6))


def fallen(env) -> dict:
    """What touches the ground 0.6 s after the drop, and how much of the engine's room for contacts was in use.

    Contacts are the most in any step as a share of the room in all envs, constraint rows the most of any env.
    """
    from isaaclab_newton.physics import NewtonManager

    robot, sensor, data = env.scene["robot"], env.scene["contact_forces"], NewtonManager._solver.mjw_data
    drop(env)
    contacts, rows = [], []
    for _ in range(round(0.6 / env.physics_dt)):
        env.scene.write_data_to_sim()
        env.sim.step(render=False)
        env.scene.update(env.physics_dt)
        contacts.append(int(data.nacon.numpy()[0]) / data.naconmax)
        rows.append(int(data.nefc.numpy().max()) / data.njmax)
    forces, mass = sensor.data.net_forces_w.torch, robot.data.body_mass.torch.sum(-1)
    touching, height = (forces.norm(dim=-1) > 1.0).float().mean(0), robot.data.root_link_pos_w.torch[:, 2]
    return {
        "touching": dict(zip(sensor.sensor_names, touching.tolist(), strict=True)),
        "force_per_mass": (forces[..., 2].sum(-1).mean() / mass.mean()).item(),
        "height": [height.min().item(), height.max().item()],
        "most_contacts": max(contacts),
        "most_rows": max(rows),
    }


def main(engine: str, out: Path) -> None:
    parser = argparse.ArgumentParser()
    add_launcher_args(parser)
    args = parser.parse_args(["--device", "cpu"])
    cfg, _ = resolve_task_config(TASK, "rsl_rl_cfg_entry_point", overrides=[f"physics={engine}"])
    cfg.scene.num_envs, cfg.seed = NUM_ENVS, 1
    with launch_simulation(cfg, args):
        env = gym.make(TASK, cfg=cfg).unwrapped
        com = env.scene["robot"].data.body_com_pos_b.torch
        result = managers(env) | {"action": action(env), "noise": noise(env), "start": start_noise(env)}
        spread = com.amax(0) - com.amin(0)
        result["com_spread"] = dict(zip(env.scene["robot"].body_names, spread.tolist(), strict=True))
        result["materials"] = materials(env, engine)
        if engine == "newton_mjwarp":
            result["fallen"] = fallen(env)
        env.close()
    out.write_text(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
