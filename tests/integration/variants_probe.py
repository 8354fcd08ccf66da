"""Build a task with presets on one engine and write down what they change, as JSON.

An engine needs a process of its own, so the test runs this file as a program:
``variants_probe.py TASK ENGINE PRESETS OUT.json``.
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
from whole_body_tracking.tasks.tracking.mdp.curriculums import std_scale

NUM_ENVS = 16
NUM_STEPS = 12


def rewards(env) -> dict:
    """Every reward term, its weight left out, in random motion: range over envs and steps."""
    ranges = {}
    for _ in range(NUM_STEPS):
        env.step(0.5 * torch.randn(NUM_ENVS, 29))
        for name in env.reward_manager.active_terms:
            term = env.reward_manager.get_term_cfg(name)
            value = term.func(env, **term.params)
            low, high = ranges.get(name, (float("inf"), float("-inf")))
            ranges[name] = (min(low, value.min().item()), max(high, value.max().item()))
    return ranges


def on_reference(env) -> dict[str, float]:
    """Smallest value of each kernel with the robot exactly on frame 40."""
    motion, env_ids = env.command_manager.get_term("motion"), torch.arange(NUM_ENVS)
    motion.cfg.pose_range, motion.cfg.velocity_range, motion.cfg.joint_position_range = {}, {}, (0.0, 0.0)
    motion.set_start(env_ids, torch.zeros_like(env_ids), torch.full_like(env_ids, 40))
    motion.frames[:] = 40
    terms = [name for name in env.reward_manager.active_terms if env.reward_manager.get_term_cfg(name).weight > 0.0]
    cfgs = {name: env.reward_manager.get_term_cfg(name) for name in terms}
    return {name: cfg.func(env, **cfg.params).min().item() for name, cfg in cfgs.items()}


def power(env) -> dict[str, float]:
    """Power that the reward sees, and that of the drives' law with the action's targets [W]."""
    term, data = env.reward_manager.get_term_cfg("joint_power"), env.scene["robot"].data
    targets = env.action_manager.get_term("joint_pos").processed_actions
    torque = data.joint_stiffness.torch * (targets - data.joint_pos.torch)
    torque = torque - data.joint_damping.torch * data.joint_vel.torch
    limit = data.joint_effort_limits.torch
    expected = (torque.clamp(-limit, limit) * data.joint_vel.torch).abs().sum(-1)
    return {"reward": term.func(env, **term.params).mean().item(), "expected": expected.mean().item()}


def tightening(env) -> dict:
    """The kernels' factor after some steps and a reset."""
    env.reset()
    curriculum = env.curriculum_manager.cfg.tracking_std.params
    numbers = {name: curriculum[name] for name in ("num_steps", "start", "end")}
    term = env.reward_manager.get_term_cfg("motion_body_pos")
    return {
        "steps": env.common_step_counter,
        "scale": term.params["std_scale"],
        "std": term.params["std"],
        "expected": std_scale(env.common_step_counter, **numbers),
    }


def main(task: str, engine: str, presets: str, out: Path) -> None:
    parser = argparse.ArgumentParser()
    add_launcher_args(parser)
    args = parser.parse_args(["--device", "cpu"])
    overrides = [f"physics={engine}", f"presets={presets}"]
    cfg, _ = resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=overrides)
    cfg.scene.num_envs, cfg.seed = NUM_ENVS, 1
    cfg.validate_config()
    with launch_simulation(cfg, args):
        env = gym.make(task, cfg=cfg).unwrapped
        env.reset()
        result = {"rewards": rewards(env), "power": power(env), "tightening": tightening(env)}
        result["on_reference"] = on_reference(env)
        env.close()
    out.write_text(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))
