"""Put robots on generated terrain on one engine and write down where they and their references are, as JSON.

An engine needs a process of its own, so the test runs this file as a program: ``terrain_probe.py ENGINE OUT.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import gymnasium as gym
import torch
from isaaclab.app import add_launcher_args, launch_simulation
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.motion.geometry.ground import collider_points
from whole_body_tracking.motion.geometry.rotations import quat_rotate
from whole_body_tracking.robots import G1
from whole_body_tracking.tasks.tracking.mdp.reference.terrain import SMOOTHING, ground_heights

TASK = "Tracking-Flat-G1-Residual-v0"
NUM_ENVS = 16
NUM_STEPS = 80


def clearance(env, heights) -> list[float]:
    """Height of each robot's lowest collider point above the ground below it [m]."""
    robot, found = env.scene["robot"], []
    for body, name in enumerate(robot.body_names):
        for center, radius in collider_points(G1, name):
            pos, quat = robot.data.body_link_pos_w.torch[:, body], robot.data.body_link_quat_w.torch[:, body]
            point = pos + quat_rotate(quat, torch.tensor(center).expand_as(pos))
            found.append(point[:, 2] - radius - heights.at(point[:, :2]))
    return torch.stack(found).amin(0).tolist()


def reference_clearance(env, heights) -> list[float]:
    """How far each reference's anchor is from its height in the clip above the smoothed ground [m]."""
    motion = env.command_manager.get_term("motion")
    flat = motion.library.state_at(motion.clip_ids, motion.frames).body_pos_w[:, motion.anchor_idx]
    anchor_w = motion.reference_bodies.pos_w[:, motion.anchor_idx]
    return (anchor_w[:, 2] - heights.smoothed(SMOOTHING).at(anchor_w[:, :2]) - flat[:, 2]).tolist()


def main(engine: str, out: Path) -> None:
    parser = argparse.ArgumentParser()
    add_launcher_args(parser)
    args = parser.parse_args(["--device", "cpu"])
    overrides = [f"physics={engine}", "presets=rand_terrain"]
    cfg, _ = resolve_task_config(TASK, "rsl_rl_cfg_entry_point", overrides=overrides)
    cfg.scene.num_envs, cfg.seed = NUM_ENVS, 1
    cfg.terminations.anchor_pos = cfg.terminations.anchor_ori = cfg.terminations.ee_body_pos = None
    cfg.commands.motion.clip_end, cfg.events.push_robot = "hold", None
    cfg.commands.motion.start_sampling = "first"
    cfg.commands.motion.velocity_range = cfg.commands.motion.pose_range = {}
    cfg.validate_config()
    with launch_simulation(cfg, args):
        env = gym.make(TASK, cfg=cfg).unwrapped
        heights = ground_heights(env.scene)
        env.reset()
        result = {"start": clearance(env, heights), "reference": reference_clearance(env, heights)}
        result["origins"] = env.scene.env_origins.tolist()
        result["ground"] = heights.at(env.scene.env_origins[:, :2]).tolist()
        for _ in range(NUM_STEPS):
            env.step(2.0 * torch.ones(NUM_ENVS, 29))  # nobody stays on his feet
        result["fallen"] = clearance(env, heights)
        root = env.scene["robot"].data.root_link_pos_w.torch
        result["root"] = (root[:, 2] - heights.at(root[:, :2])).tolist()
        env.close()
    out.write_text(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
