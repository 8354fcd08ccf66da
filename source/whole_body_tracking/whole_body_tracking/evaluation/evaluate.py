"""``evaluate.py``: every clip from frame 0 to its end, deterministic policy, and a report."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch

from isaaclab_rl.entrypoints.common import add_common_play_args

from whole_body_tracking.rl.checkpoints import adopt_networks, resolve_checkpoint
from whole_body_tracking.rl.cli import parse_args
from whole_body_tracking.rl.runner import TrackingRunner
from whole_body_tracking.rl.session import resolve_configs, tracking_env
from whole_body_tracking.robots import get_robot
from whole_body_tracking.tasks.tracking.mdp import check_motion_command

from . import report
from .metrics import DEFINITIONS
from .rollout import Recording, configure_evaluation, roll_out
from .summary import measure

NUM_ROLLOUTS = 64
"""Rollouts of an evaluation, shared evenly by its clips; each clip gets at least one."""


@dataclass
class EvaluationResult:
    """What an evaluation found."""

    overall: dict[str, float]
    """Mean of every metric over all rollouts."""
    per_clip: list[dict]
    """The same for each clip, with its name and number of rollouts."""
    folder: Path
    """Where ``report.json``, ``per_clip.csv``, ``played.npz`` and ``played.html`` are."""


def evaluate(argv: list[str]) -> EvaluationResult:
    """Evaluate a policy as a command line says; see ``evaluate.py --help``.

    Raises:
        FileNotFoundError: If a motion or checkpoint does not exist.
        ValueError: If an argument, config, motion or checkpoint is wrong.
    """
    args = _parse(argv)
    env_cfg, agent_cfg = resolve_configs(args, play=True)
    clips = check_motion_command(env_cfg)
    env_cfg.scene.num_envs = len(clips) * max(1, args.num_envs // len(clips))
    checkpoint = resolve_checkpoint(args, agent_cfg)
    adopt_networks(agent_cfg, checkpoint)
    terminations = configure_evaluation(env_cfg, perturbed=not args.exact_start)
    recording, joint_names = _record(args, env_cfg, agent_cfg, checkpoint, len(clips))

    measured = measure(recording, env_cfg.rewards, terminations, get_robot(env_cfg.robot_name).body_names[0])
    overall = measured.mean() | {"num_rollouts": len(recording.clip_ids)}
    per_clip = report.per_clip_rows(measured, recording.clip_ids, tuple(clip.name for clip in clips))
    folder = Path(args.output_dir) if args.output_dir else checkpoint.parent / "evaluation"
    folder.mkdir(parents=True, exist_ok=True)
    median = report.median_rollout(measured)
    played = report.played_clip(recording, median, env_cfg.robot_name, joint_names)
    played.save(folder / "played.npz")
    reference = clips[int(recording.clip_ids[median])]
    title = f"{reference.name}: {checkpoint.stem}, median of {len(recording.clip_ids)} rollouts"
    report.write_rollout_page(folder / "played.html", played, reference, env_cfg.robot_name, title)
    report.write_table(folder / "per_clip.csv", per_clip)
    settings = {"task": args.task, "engine": engine_name(env_cfg.sim.physics), "seed": env_cfg.seed}
    sources = {"checkpoint": checkpoint.name, "clips": {clip.name: clip.digest for clip in clips}}
    content = {"overall": overall, "per_clip": per_clip, "definitions": DEFINITIONS} | settings | sources
    report.write_json(folder / "report.json", content)
    return EvaluationResult(overall, per_clip, folder)


def engine_name(physics: object) -> str:
    """Name of a physics config as reports give it."""
    return type(getattr(physics, "solver_cfg", physics)).__name__.removesuffix("Cfg").removesuffix("Solver")


def _record(args, env_cfg, agent_cfg, checkpoint: Path, num_clips: int) -> tuple[Recording, list[str]]:
    with tracking_env(args, env_cfg, agent_cfg) as env:
        runner = TrackingRunner(env, agent_cfg.to_dict(), device=agent_cfg.device)
        runner.load(str(checkpoint))
        clip_ids = torch.arange(env.num_envs, device=env.device) % num_clips
        torch.manual_seed(env_cfg.seed)
        recording = roll_out(env, runner.get_inference_policy(device=env.device), clip_ids)
        return recording, list(env.unwrapped.scene["robot"].joint_names)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Roll a policy out over its motions and report how well it tracks.")
    add_common_play_args(parser, agent_default="rsl_rl_cfg_entry_point", agent_help="Agent config entry point.")
    parser.add_argument("--output_dir", default=None, help="Folder of the report; default: evaluation/ in the run.")
    parser.add_argument("--exact_start", action="store_true", help="Start in the reference state, without small noise.")
    args = parse_args(parser, argv)
    args.num_envs = args.num_envs or NUM_ROLLOUTS
    args.checkpoint = args.checkpoint or "latest"
    return args
