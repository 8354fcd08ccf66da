"""Step a task with ``presets=rand_delay`` on one engine and write down when targets and observations arrive, as JSON.

An engine needs a process of its own, so the test runs this file as a program: ``delay_probe.py ENGINE OUT.json``.
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

TASK = "Tracking-Flat-G1-v0"
NUM_ENVS = 32
NUM_STEPS = 6


def main(engine: str, out: Path) -> None:
    parser = argparse.ArgumentParser()
    add_launcher_args(parser)
    args = parser.parse_args(["--device", "cpu"])
    overrides = [f"physics={engine}", "presets=rand_delay"]
    cfg, _ = resolve_task_config(TASK, "rsl_rl_cfg_entry_point", overrides=overrides)
    cfg.scene.num_envs, cfg.seed = NUM_ENVS, 1
    cfg.observations.policy.enable_corruption = False
    cfg.terminations.anchor_pos = cfg.terminations.anchor_ori = cfg.terminations.ee_body_pos = None
    cfg.validate_config()
    with launch_simulation(cfg, args):
        env = gym.make(TASK, cfg=cfg).unwrapped
        env.reset()
        term = env.action_manager.get_term("joint_pos")
        applied, seen, true = [], [], []
        apply = term.apply_actions

        def recorded():
            apply()
            applied.append(term._asset.actuators.target_command.position.torch[:, term._joint_ids][:, 0].clone())

        term.apply_actions = recorded
        for step in range(NUM_STEPS):
            observations = env.step(torch.full((NUM_ENVS, 29), 0.01 * (step + 1)))[0]
            seen.append(observations["policy"][:, 70:73].clone())
            true.append(observations["critic"][:, 196:199].clone())
        # Targets in units of the first action's: offset + scale * 0.01 * number of the control step.
        numbers = (torch.stack(applied) - term.offset[:, 0]) / (term.scale[:, 0] * 0.01)
        lags = env.observation_manager._group_obs_term_delay_buffer["policy"]["base_ang_vel"].time_lags
        result = {
            "decimation": cfg.decimation,
            "delay_steps": term.delay_steps.tolist(),
            "numbers": numbers.round(decimals=2).tolist(),
            "lags": lags.tolist(),
            "late": [float((seen[-1][env_id] - true[-1 - lag][env_id]).abs().max()) for env_id, lag in enumerate(lags)],
            "early": float((seen[-1] - true[-1]).abs().amax(-1)[lags > 0].min()),
            "reset": bool(env.reset_buf.any()),
        }
        env.close()
    out.write_text(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
