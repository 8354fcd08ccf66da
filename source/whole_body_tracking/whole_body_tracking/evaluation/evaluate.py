"""``evaluate.py``: every clip from frame 0 to its end, deterministic policy, and a report."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from isaaclab_rl.entrypoints.common import add_common_play_args

from whole_body_tracking.rl.checkpoints import resolve_checkpoint
from whole_body_tracking.rl.cli import parse_args
from whole_body_tracking.rl.experts.ensemble import add_expert_args
from whole_body_tracking.rl.policies import CheckpointPolicy, ExpertsPolicy
from whole_body_tracking.rl.session import resolve_configs
from whole_body_tracking.rl.video import check_video_length
from whole_body_tracking.robots import get_robot
from whole_body_tracking.tasks.tracking.mdp import check_motion_command
from whole_body_tracking.viewer.video import require_encoder

from .playing import play_clips
from .provenance import describe_evaluation, engine_name
from .report.write import Evaluated, write_report
from .robustness import NUM_EPISODES, RobustnessResult, evaluate_scenarios
from .rollout import configure_evaluation
from .scenarios import SCENARIOS, scenarios_of

__all__ = ["EvaluationResult", "engine_name", "evaluate"]

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
    """Where ``report.json``, ``report.html``, ``per_clip.csv`` and the played motions are."""

    def render(self) -> str:
        """A plain table for a terminal."""
        return "\n".join(f"{name:>20}: {value:.4f}" for name, value in self.overall.items())


def evaluate(argv: list[str]) -> EvaluationResult | RobustnessResult:
    """Evaluate a policy as a command line says; see ``evaluate.py --help``.

    Returns:
        What was found; with ``--scenarios`` one row for each of them instead of a report on the clips.

    Raises:
        FileNotFoundError: If a motion or checkpoint does not exist.
        ValueError: If an argument, config, motion or checkpoint is wrong.
    """
    args = _parse(argv)
    scenarios = scenarios_of(args.scenarios) if args.scenarios else None
    env_cfg, agent_cfg = resolve_configs(args, play=True)
    clips = check_motion_command(env_cfg)
    source = ExpertsPolicy(args) if args.experts else CheckpointPolicy(resolve_checkpoint(args, agent_cfg))
    source.configure(env_cfg, agent_cfg)
    folder = Path(args.output_dir) if args.output_dir else source.path.parent / "evaluation"
    if scenarios:
        return evaluate_scenarios(args, source, scenarios, folder)
    terminations = configure_evaluation(env_cfg, perturbed=not args.exact_start)
    rollouts, joint_names = play_clips(args, env_cfg, agent_cfg, source, len(clips), terminations)
    evaluated = Evaluated(rollouts, clips, get_robot(env_cfg.robot_name), joint_names, env_cfg.rewards)
    details = describe_evaluation(args, env_cfg, source.path, clips)
    return EvaluationResult(*write_report(folder, evaluated, details, args.video, args.video_length), folder)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Roll a policy out over its motions and report how well it tracks.")
    add_common_play_args(parser, agent_default="rsl_rl_cfg_entry_point", agent_help="Agent config entry point.")
    parser.add_argument("--output_dir", default=None, help="Folder of the report; default: evaluation/ in the run.")
    parser.add_argument("--exact_start", action="store_true", help="Start in the reference state, without small noise.")
    parser.add_argument(
        "--scenarios",
        default=None,
        metavar="NAME,NAME",
        help=f"Test robustness instead, {NUM_EPISODES} episodes each by default: {', '.join(SCENARIOS)}; or all.",
    )
    add_expert_args(parser)
    args = parse_args(parser, argv)
    _check_video(args)
    args.num_envs = args.num_envs or (NUM_EPISODES if args.scenarios else NUM_ROLLOUTS)
    if not args.experts:
        args.checkpoint = args.checkpoint or "latest"
    return args


def _check_video(args: argparse.Namespace) -> None:
    if not args.video:
        return
    if args.scenarios:
        raise ValueError("--video shows the median and the worst rollout, which --scenarios does not keep: drop one.")
    check_video_length(args)
    require_encoder()
