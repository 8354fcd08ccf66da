"""Compare a running task with its differentiable form: observations, joint targets, kernels and windows.

An engine needs a process of its own, so the test runs this file as a program: ``world_model_probe.py OUT.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

from whole_body_tracking.motion import DEFAULT_MOTION_FILE
from whole_body_tracking.rl.cli import parse_args
from whole_body_tracking.rl.session import resolve_configs, tracking_env
from whole_body_tracking.tasks.tracking.task_reference import motion_of
from whole_body_tracking.tracking.errors import BodyState, exp_kernel, tracking_errors
from whole_body_tracking.world_model.environment import joint_targets, make_imagination, robot_states
from whole_body_tracking.world_model.imagining.buffer import Moment
from whole_body_tracking.world_model.task_check import imagined_terms
from whole_body_tracking.world_model.training import settings_of, world_model_parser

NUM_ENVS, NUM_STEPS = 8, 12


def arguments() -> argparse.Namespace:
    flags = ["--task", "Tracking-Flat-G1-Residual-v0", "--motion_file", str(DEFAULT_MOTION_FILE), "--device", "cpu"]
    overrides = [
        "physics=mujoco_cpu",
        "env.actions.joint_pos.center=joint_target",
        "env.observations.policy.enable_corruption=False",
        "env.commands.motion.start_sampling=uniform",
    ]
    return parse_args(world_model_parser(), [*flags, "--num_envs", str(NUM_ENVS), "--seed", "1", *overrides])


def worst_of(worst: dict[str, float], name: str, found: torch.Tensor, expected: torch.Tensor) -> None:
    worst[name] = max(worst.get(name, 0.0), float((found - expected).abs().max()))


def main(out: Path) -> None:
    args = arguments()
    env_cfg, agent_cfg = resolve_configs(args)
    terms, worst = imagined_terms(env_cfg), {}
    with tracking_env(args, env_cfg, agent_cfg) as env, torch.no_grad():
        inner, motion = env.unwrapped, motion_of(env)
        task = make_imagination(inner, terms, settings_of(args))
        rewards, dt = inner.reward_manager, inner.step_dt
        for _ in range(NUM_STEPS):
            obs, state = env.get_observations()["policy"], robot_states(inner)
            last, envs = inner.action_manager.action.clone(), torch.arange(NUM_ENVS)
            moment = Moment(state, state[:, :0], last, motion.clip_ids.clone(), motion.frames.clone(), envs)
            (ref,) = task.references(moment, 1)
            worst_of(worst, "observation", task.observations(moment, state, ref, last, noisy=False), obs)
            bodies, real = task.kinematics.bodies(state), motion.robot_bodies
            origins = inner.scene.env_origins[:, None]
            worst_of(worst, "body_pos", bodies.pos_w, real.pos_w - origins)
            worst_of(worst, "body_lin_vel", bodies.lin_vel_w, real.lin_vel_w)
            worst_of(worst, "body_ang_vel", bodies.ang_vel_w, real.ang_vel_w)
            actions = 0.1 * torch.randn(NUM_ENVS, 29)
            _, _, dones, _ = env.step(actions)
            center = task.centers(moment.clip_ids, moment.frames, ref)
            targets = center + task.action_offset + task.action_scale * actions
            worst_of(worst, "target", joint_targets(inner), targets)
            goes_on = dones == 0
            reference = BodyState(
                *(
                    getattr(ref, f"body_{name}")[:, task.body_ids]
                    for name in ("pos_w", "quat_w", "lin_vel_w", "ang_vel_w")
                )
            )
            errors = tracking_errors(reference, task.kinematics.bodies(robot_states(inner)), task.weights.anchor_idx)
            for kernel, name in zip(task.weights.kernels, terms.rewards, strict=False):
                value = getattr(errors, kernel.error)
                value = value if value.dim() == 1 else value.mean(-1)
                scored = rewards._step_reward[:, rewards.active_terms.index(name)]
                # A push between reward and observation changes velocities: only what it leaves alone is compared.
                if "vel" not in kernel.error:
                    ours = kernel.weight * exp_kernel(value, kernel.std)
                    worst_of(worst, "kernel", ours[goes_on], scored[goes_on])
        worst["left_out"], worst["dt"] = list(terms.left_out), dt
    out.write_text(json.dumps(worst))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
