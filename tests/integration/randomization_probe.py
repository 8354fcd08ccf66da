"""Build a task with randomisation presets on one engine and write down what the engine got, as JSON.

An engine needs a process of its own, so the test runs this file as a program:
``randomization_probe.py ENGINE PRESETS OUT.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
import warp as wp
from isaaclab.app import add_launcher_args, launch_simulation
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.robots import G1

TASK = "Tracking-Flat-G1-Demo-v0"
NUM_ENVS = 16
NUM_STEPS = 10
POLICY = {"orientation": (61, 67), "gyro": (70, 73), "joint_pos": (73, 102), "joint_vel": (102, 131)}
CRITIC = {"orientation": (61, 67), "gyro": (196, 199), "joint_pos": (199, 228), "joint_vel": (228, 257)}
"""Columns of the same quantities: 126 numbers about bodies stand between orientation and velocities in the critic's."""


def engine_masses(env, engine: str) -> list[float]:
    """Total mass of each env in the model that the engine steps [kg]."""
    if engine == "mujoco_cpu":
        return [float(model.body_mass.sum()) for model in native_models()]
    from isaaclab_ov.envs.mdp.events import ovphysx_tt

    rows = wp.to_torch(env.scene["robot"].root_view.get_attribute(ovphysx_tt.BODY_MASS))
    return rows.sum(-1).tolist()


def native_models() -> list:
    """Native MuJoCo's model of each env."""
    from whole_body_tracking.physics.mujoco_cpu import NewtonMujocoCpuManager

    return NewtonMujocoCpuManager.env_models()


def masses(env, engine: str) -> dict:
    """Total mass of each env as Isaac Lab and as the engine has it, and one link's inertia over its mass."""
    data = env.scene["robot"].data
    body = env.scene["robot"].body_names.index("torso_link")
    ratio = data.body_inertia.torch[:, body, 0] / data.body_mass.torch[:, body]
    return {
        "total": data.body_mass.torch.sum(-1).tolist(),
        "engine": engine_masses(env, engine),
        "inertia_over_mass": ratio.tolist(),
    }


def sensor_errors(env) -> dict[str, torch.Tensor]:
    """What the policy sees minus what the critic sees over some steps, shape [num_steps, num_envs, ...]."""
    found: dict[str, list] = {name: [] for name in POLICY}
    for _ in range(NUM_STEPS):
        observations = env.observation_manager.compute()
        for name in POLICY:
            seen = observations["policy"][:, slice(*POLICY[name])]
            found[name].append(seen - observations["critic"][:, slice(*CRITIC[name])])
    return {name: torch.stack(values) for name, values in found.items()}


def sensors(env) -> dict:
    """Constant and changing part of each sensor's error in two episodes."""
    env.reset()
    first = sensor_errors(env)
    for _ in range(20):  # many resets: a bias that was added to the last one would grow
        env.reset()
    second = sensor_errors(env)
    result = {}
    for name in first:
        bias, later = first[name].mean(0), second[name].mean(0)
        result[name] = {
            "largest_bias": max(bias.abs().max().item(), later.abs().max().item()),
            "spread_of_bias": bias.std().item(),
            "white": (first[name] - bias).std().item(),
            "redrawn": (bias - later).abs().mean().item(),
        }
    return result


def lengths(env, engine: str) -> dict:
    """Distance from each knee to its ankle [m] in every env, as poses and as the engine's own model have it."""
    robot = env.scene["robot"]
    env.reset()
    env.step(torch.zeros(NUM_ENVS, 29))
    pos = robot.data.body_link_pos_w.torch
    result = {}
    for side in ("left", "right"):
        knee, ankle = (robot.body_names.index(f"{side}_{name}_link") for name in ("knee", "ankle_pitch"))
        result[side] = (pos[:, knee] - pos[:, ankle]).norm(dim=-1).tolist()
    if engine == "mujoco_cpu":
        models = native_models()
        names = [models[0].body(index).name for index in range(models[0].nbody)]
        index = next(i for i, name in enumerate(names) if "left_ankle_pitch_link" in name)
        result["native"] = [float(np.linalg.norm(model.body_pos[index])) for model in models]
    joint = G1.joint_names.index("left_ankle_pitch_joint")
    result["nominal"] = float(np.linalg.norm(G1.joint_origin_pos[joint]))
    return result


def speeds(env) -> dict:
    """Clips, their durations [s], and how many of them envs start in."""
    motion = env.command_manager.get_term("motion")
    env.reset()
    return {
        "names": motion.library.names,
        "durations": motion.library.durations.tolist(),
        "started": len(torch.unique(motion.clip_ids)),
        "nominal": motion.nominal_library.names,
        "within": bool((motion.frames <= motion.clock.last).all()),
    }


def main(engine: str, presets: str, out: Path) -> None:
    parser = argparse.ArgumentParser()
    add_launcher_args(parser)
    args = parser.parse_args(["--device", "cpu"])
    overrides = [f"physics={engine}", f"presets={presets}"]
    cfg, _ = resolve_task_config(TASK, "rsl_rl_cfg_entry_point", overrides=overrides)
    cfg.scene.num_envs, cfg.seed = NUM_ENVS, 1
    cfg.validate_config()
    with launch_simulation(cfg, args):
        env = gym.make(TASK, cfg=cfg).unwrapped
        env.reset()
        observations, *_ = env.step(torch.zeros(NUM_ENVS, 29))
        result = {"finite": all(bool(torch.isfinite(value).all()) for value in observations.values())}
        result |= {"masses": masses(env, engine), "sensors": sensors(env), "speeds": speeds(env)}
        result["lengths"] = lengths(env, engine)
        env.close()
    out.write_text(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
