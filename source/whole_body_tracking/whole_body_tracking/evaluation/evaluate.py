"""``evaluate.py``: every clip from frame 0 to its end, deterministic policy, and a report."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from isaaclab_rl.entrypoints.common import add_common_play_args

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.rl.checkpoints import adopt_networks, resolve_checkpoint
from whole_body_tracking.rl.cli import parse_args
from whole_body_tracking.rl.runner import TrackingRunner
from whole_body_tracking.rl.session import resolve_configs, tracking_env
from whole_body_tracking.robots import RobotModel, get_robot
from whole_body_tracking.tasks.tracking.mdp import check_motion_command

from .provenance import describe_evaluation, engine_name
from .recording import Recording
from .report import Evaluated, write_report
from .rollout import Disturbance, configure_evaluation
from .running import Rollouts, run_rollouts
from .schedule import plan_rollouts
from .summary import RolloutMetrics, measure

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


def evaluate(argv: list[str]) -> EvaluationResult:
    """Evaluate a policy as a command line says; see ``evaluate.py --help``.

    Raises:
        FileNotFoundError: If a motion or checkpoint does not exist.
        ValueError: If an argument, config, motion or checkpoint is wrong.
    """
    args = _parse(argv)
    env_cfg, agent_cfg = resolve_configs(args, play=True)
    clips = check_motion_command(env_cfg)
    checkpoint = resolve_checkpoint(args, agent_cfg)
    adopt_networks(agent_cfg, checkpoint)
    folder = Path(args.output_dir) if args.output_dir else checkpoint.parent / "evaluation"
    terminations = configure_evaluation(env_cfg, perturbed=not args.exact_start)
    rollouts, joint_names = play_clips(args, env_cfg, agent_cfg, checkpoint, clips, terminations)
    evaluated = Evaluated(rollouts, clips, get_robot(env_cfg.robot_name), joint_names, env_cfg.rewards)
    details = describe_evaluation(args, env_cfg, checkpoint, clips)
    return EvaluationResult(*write_report(folder, evaluated, details), folder)


def play_clips(
    args: argparse.Namespace,
    env_cfg,
    agent_cfg,
    checkpoint: Path,
    clips: list[MotionClip],
    terminations,
    disturb: Disturbance | None = None,
) -> tuple[Rollouts, list[str]]:
    """Start the engine, play every clip and stop it.

    Args:
        args: Parsed command line; ``num_envs`` rollouts are made, in at most as many worlds.
        env_cfg: Config from :func:`~.rollout.configure_evaluation`.
        agent_cfg: Agent config that fits the checkpoint.
        checkpoint: Policy to play.
        clips: Clips of the config, in its order.
        terminations: Terminations that count as failures.
        disturb: Acts on the environment or the actions before each step.

    Returns:
        The rollouts, and the joints in the order of their recordings.
    """
    clip_ids = plan_rollouts(len(clips), args.num_envs)
    env_cfg.scene.num_envs = len(clip_ids) if len(clips) <= args.num_envs else args.num_envs
    judge = judge_of(env_cfg.rewards, terminations, get_robot(env_cfg.robot_name))
    with tracking_env(args, env_cfg, agent_cfg) as env:
        runner = TrackingRunner(env, agent_cfg.to_dict(), device=agent_cfg.device)
        runner.load(str(checkpoint))
        policy = runner.get_inference_policy(device=env.device)
        rollouts = run_rollouts(env, policy, clip_ids, env_cfg.seed, judge, disturb)
        return rollouts, list(env.unwrapped.scene["robot"].joint_names)


def judge_of(rewards, terminations, robot: RobotModel) -> Callable[[Recording], RolloutMetrics]:
    """Function that measures recordings of a robot under a task's rewards and terminations."""
    return lambda recording: measure(recording, rewards, terminations, robot.body_names[0], robot)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Roll a policy out over its motions and report how well it tracks.")
    add_common_play_args(parser, agent_default="rsl_rl_cfg_entry_point", agent_help="Agent config entry point.")
    parser.add_argument("--output_dir", default=None, help="Folder of the report; default: evaluation/ in the run.")
    parser.add_argument("--exact_start", action="store_true", help="Start in the reference state, without small noise.")
    args = parse_args(parser, argv)
    args.num_envs = args.num_envs or NUM_ROLLOUTS
    args.checkpoint = args.checkpoint or "latest"
    return args
