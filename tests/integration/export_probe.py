"""Export an untrained policy of a task and drive the task as a controller would, writing down the differences as JSON.

An engine needs a process of its own, so the test runs this file as a program: ``export_probe.py TASK OUT_FOLDER``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
from isaaclab.app import add_launcher_args, launch_simulation
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, check_rsl_rl_version, handle_deprecated_rsl_rl_cfg
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.export import check_parity, export_run, load_policy
from whole_body_tracking.rl.training import make_runner

NUM_ENVS = 8
WARM_UP_STEPS = 125


def warm_up(env, runner) -> tuple[torch.Tensor, torch.Tensor]:
    """Act at random, train the normaliser on what is seen, and return observations and their frames."""
    motion = env.unwrapped.command_manager.get_term("motion")
    observations, frames = [], []
    for _ in range(WARM_UP_STEPS):
        obs = env.get_observations()
        runner.alg.get_policy().update_normalization(obs)
        observations.append(obs["policy"].clone())
        frames.append(motion.frames.clone())
        with torch.inference_mode():
            env.step(0.3 * torch.randn(NUM_ENVS, env.num_actions))
    return torch.cat(observations), torch.cat(frames)


def worst_target_difference(env, runner, policy) -> float:
    """Drive env 0 with torch and compare its joint targets with those of a default-relative controller [rad]."""
    motion = env.unwrapped.command_manager.get_term("motion")
    action_term = env.unwrapped.action_manager.get_term("joint_pos")
    default, scale = np.array(policy.spec.default_joint_pos), np.array(policy.spec.action_scale)
    place = policy.spec.observation_slice("actions")
    torch_policy = runner.get_inference_policy(device="cpu")
    with torch.inference_mode():
        env.reset()
    emitted, differences = np.zeros(len(default)), []
    for _ in range(int(motion.library.num_frames[0]) + 5):
        obs = env.get_observations()
        if env.unwrapped.episode_length_buf[0] == 0:
            emitted = np.zeros(len(default))
        fed = obs["policy"][0].numpy().copy()
        fed[place] = emitted
        emitted = policy.run(fed, int(motion.frames[0]))["actions"][0]
        with torch.inference_mode():
            env.step(torch_policy(obs))
        # After a reset the action term is cleared: the last step of an episode is not compared.
        if env.unwrapped.episode_length_buf[0] > 0:
            targets = action_term.processed_actions[0].numpy()
            differences.append(float(np.abs(default + scale * emitted - targets).max()))
    return max(differences)


def main(task: str, out: Path) -> None:
    parser = argparse.ArgumentParser()
    add_launcher_args(parser)
    args = parser.parse_args(["--device", "cpu"])
    sys.argv = sys.argv[:1]
    cfg, agent_cfg = resolve_task_config(task, "rsl_rl_cfg_entry_point", play_mode=True)
    agent_cfg = handle_deprecated_rsl_rl_cfg(agent_cfg, check_rsl_rl_version())
    cfg.scene.num_envs, cfg.seed, agent_cfg.device = NUM_ENVS, 1, "cpu"
    with launch_simulation(cfg, args):
        env = RslRlVecEnvWrapper(gym.make(task, cfg=cfg))
        runner = make_runner(task, env, agent_cfg, None)
        observations, frames = warm_up(env, runner)
        seconds = []
        for iteration in range(3):
            started = time.perf_counter()
            path = export_run(runner, out / f"model_{iteration}.pt", task=task)
            seconds.append(time.perf_counter() - started)
        policy = load_policy(path)
        library = env.unwrapped.command_manager.get_term("motion").library
        actor = runner.alg.get_policy()
        result = {
            "parity": check_parity(policy, actor, observations, library, frames),
            "num_observations": len(observations),
            "target_difference": worst_target_difference(env, runner, policy),
            "export_seconds": seconds,
        }
        env.close()
    (out / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
