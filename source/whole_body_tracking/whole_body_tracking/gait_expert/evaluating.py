"""``scripts/gait/evaluate_expert.py``: held-out gaits walked in Isaac Lab or in plain MuJoCo."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from isaaclab_rl.entrypoints.common import add_common_play_args

from whole_body_tracking.export.loader import load_policy
from whole_body_tracking.gait.network.known_parameters import KnownParameters
from whole_body_tracking.gait.network.walked import realised_speed
from whole_body_tracking.rl.cli import parse_args
from whole_body_tracking.rl.policies import CheckpointPolicy
from whole_body_tracking.rl.run.checkpoints import resolve_checkpoint
from whole_body_tracking.rl.session import resolve_configs, tracking_env
from whole_body_tracking.sim2sim.gait_run import run_gait_walks
from whole_body_tracking.tasks.tracking.task_reference import gait_cfg_of, gait_of

from .held_out import held_out_gaits, summary, walk_row

STEERED = ("speed", "cadence", "turn_rate")


def evaluate_expert(argv: list[str]) -> dict:
    """Walk held-out gaits as a command line says.

    Returns:
        ``summary``, ``gaits``, ``engine`` and ``seconds``.

    Raises:
        FileNotFoundError: If a network, policy or checkpoint does not exist.
        ValueError: If an argument, config or checkpoint is wrong.
    """
    parser = argparse.ArgumentParser(description="Walk held-out gaits with a trained policy of the gait task.")
    add_common_play_args(parser, agent_default="rsl_rl_cfg_entry_point", agent_help="Agent config entry point.")
    parser.add_argument("--num_gaits", type=int, default=64, help="Gaits, one env each (%(default)s).")
    parser.add_argument("--seconds", type=float, default=10.0, help="Length of a walk (%(default)s).")
    parser.add_argument("--policy", type=Path, metavar="FILE", help="Exported policy, in plain MuJoCo instead.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the numbers.")
    plain = "--policy" in argv
    args = parse_args(parser, ["--task", "Gait-Flat-G1-v0", *argv] if plain else argv)
    if not args.seconds >= 2.0:
        raise ValueError(f"--seconds is {args.seconds:g}, expected at least 2.")
    gaits = held_out_gaits(args.num_gaits)
    if plain:
        return _in_plain_mujoco(args, gaits)
    args.num_envs = args.num_gaits
    env_cfg, agent_cfg = resolve_configs(args, play=True)
    if gait_cfg_of(env_cfg) is None:
        raise ValueError(f"{args.task} follows no RefNN. Evaluate it with scripts/rsl_rl/evaluate.py.")
    checkpoint = resolve_checkpoint(args, agent_cfg)
    if checkpoint is None:
        raise ValueError("--checkpoint is missing: a checkpoint or a run's folder.")
    source = CheckpointPolicy(checkpoint)
    source.configure(env_cfg, agent_cfg)
    env_cfg.episode_length_s = args.seconds + 1.0
    env_cfg.log_dir = str(checkpoint.parent)
    with tracking_env(args, env_cfg, agent_cfg) as env:
        rows = walk_gaits(env, source.load(env, agent_cfg), gaits, args.seconds)
    engine = type(getattr(env_cfg.sim.physics, "solver_cfg", env_cfg.sim.physics)).__name__
    return {"summary": summary(rows), "gaits": rows, "engine": engine, "seconds": args.seconds}


@torch.inference_mode()
def walk_gaits(env, policy, gaits: list[dict[str, float]], seconds: float) -> list[dict[str, float]]:
    """Walk one gait per env, each until it ends as a failure or ``seconds`` have passed.

    Args:
        env: Wrapped gait environment in play mode with an env per gait.
        policy: From observations to actions.
        gaits: Speed, cadence and turn rate of each env.
        seconds: Length of a walk.
    """
    task = env.unwrapped
    gait, root = gait_of(task), task.scene["robot"].data
    given = torch.tensor([[item[name] for name in STEERED] for item in gaits])
    gait.set_wanted(KnownParameters(gait.walk.model, STEERED)(given).to(task.device))
    task.reset()
    obs = env.get_observations()
    walking, survived = (make(len(gaits), device=task.device) for make in (torch.ones, torch.zeros))
    places, headings = [], []
    for _ in range(round(seconds / task.step_dt)):
        obs, *_ = env.step(policy(obs))
        walking = walking * ~task.termination_manager.terminated
        survived += walking
        places.append(root.root_link_pos_w.torch.clone())
        headings.append(gait.reference.body_quat_w[:, gait.root_idx].clone())
    speeds = realised_speed(torch.stack(places), torch.stack(headings), task.step_dt)
    times = (survived * task.step_dt).tolist()
    return [walk_row(*row) for row in zip(gaits, times, [seconds] * len(gaits), speeds.tolist(), strict=True)]


def _in_plain_mujoco(args: argparse.Namespace, gaits: list[dict[str, float]]) -> dict:
    policy = load_policy(args.policy, follows_gait=True)
    ranges = dict(
        zip(policy.spec.gait_inputs, zip(policy.spec.gait_low, policy.spec.gait_high, strict=True), strict=True)
    )
    within = [{name: float(np.clip(gait[name], *ends)) for name, ends in ranges.items()} for gait in gaits]
    walks = run_gait_walks(policy, within, args.seconds, report=lambda done: print(f"{done} walked", flush=True))
    rows = [
        walk_row(gait, args.seconds if row["success"] else row["survived_s"], args.seconds, row["realised_speed"])
        for gait, row in zip(gaits, walks.rows, strict=True)
    ]
    return {"summary": summary(rows), "gaits": rows, "engine": "plain MuJoCo", "seconds": args.seconds}
