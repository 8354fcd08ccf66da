"""``evaluate.py``: play every clip to its end with the deterministic policy, and write a report."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from isaaclab_rl.entrypoints.common import add_common_play_args
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper
from torch import Tensor

from whole_body_tracking.files import write_json
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.conversion.time_scaling import time_scaled
from whole_body_tracking.rl.cli import parse_args
from whole_body_tracking.rl.experts.ensemble import add_expert_args
from whole_body_tracking.rl.policies import CheckpointPolicy, ExpertsPolicy, PolicySource
from whole_body_tracking.rl.run.checkpoints import resolve_checkpoint
from whole_body_tracking.rl.run.ray_options import add_ray_args, ray_options
from whole_body_tracking.rl.session import resolve_configs, tracking_env
from whole_body_tracking.rl.video import check_video_length
from whole_body_tracking.robots import RobotModel, get_robot
from whole_body_tracking.tasks.locomotion.command_check import velocity_cfg_of
from whole_body_tracking.tasks.tracking.config_check import load_task_clips
from whole_body_tracking.viewer.video import require_encoder

from .batches import Rollouts, plan_rollouts, run_rollouts, spread_starts
from .early_stop import EarlyStop
from .metrics.measure import RolloutMetrics, measure
from .parts import Part, PartResult, play_parts, save_part
from .provenance import describe_evaluation
from .recording import Recording
from .report.conditions import RobustnessResult, condition_row, render_conditions, write_scenarios
from .report.notes import diverged_note
from .report.write import Evaluated, write_report
from .rollout import Disturbance, configure_evaluation
from .scenarios import SCENARIOS, Scenario, find_scenario, scenarios_of
from .walking.report import WalkResult
from .walking.run import add_walk_args, check_walk_args, evaluate_walks, joined_command

NUM_ROLLOUTS = 64
"""Rollouts of an evaluation, shared evenly by its clips; each clip gets at least one."""
NUM_EPISODES = 100
"""Episodes of each scenario."""
START_FRAMES = ("first", "random")
"""Values of ``--start_frames``."""


@dataclass
class EvaluationResult:
    """Numbers of an evaluation, and where its report is."""

    overall: dict[str, float]
    """Mean of every metric over all rollouts."""
    per_clip: list[dict]
    """The same for each clip, with its name and number of rollouts."""
    folder: Path
    """Where ``report.json``, ``report.html``, ``per_clip.csv`` and the played motions are."""
    starts: list[dict] = field(default_factory=list)
    """With ``--start_frames random`` one row for rollouts from frame 0 and one for those from random frames."""

    def render(self) -> str:
        """A plain table for a terminal."""
        lines = [f"{name:>20}: {value:.4f}" for name, value in self.overall.items()]
        lines += [note] if (note := diverged_note(self.overall).strip()) else []
        return "\n".join([*lines, "", render_conditions("start", self.starts)] if self.starts else lines)


def evaluate(argv: list[str]) -> EvaluationResult | RobustnessResult | PartResult | WalkResult:
    """Evaluate a policy as a command line says; see ``evaluate.py --help``.

    Returns:
        The numbers; with ``--scenarios`` one row for each of them instead of a report on the clips.

    Raises:
        FileNotFoundError: If a motion or checkpoint does not exist.
        ValueError: If an argument, config, motion or checkpoint is wrong.
    """
    args = _parse(joined_command(argv))
    result = _evaluate(args, argv)
    if args.json and not isinstance(result, PartResult):
        write_json(args.json, _numbers(result))
    return result


def _numbers(result: EvaluationResult | RobustnessResult | WalkResult) -> dict:
    """What ``--json`` writes: the scenarios' rows, or the means over all rollouts."""
    rows = getattr(result, "rows", [])
    per_mode = getattr(result, "per_mode", [])
    return {"scenarios": rows} if rows else dict(result.overall) | ({"per_mode": per_mode} if per_mode else {})


def _evaluate(
    args: argparse.Namespace, argv: list[str]
) -> EvaluationResult | RobustnessResult | PartResult | WalkResult:
    env_cfg, agent_cfg = resolve_configs(args, play=True)
    walks = velocity_cfg_of(env_cfg) is not None
    check_walk_args(args, walks)
    if walks:
        return evaluate_walks(args, env_cfg, agent_cfg, _source(args, env_cfg, agent_cfg))
    scenarios = scenarios_of(args.scenarios) if args.scenarios else None
    clips = load_task_clips(env_cfg)
    source = _source(args, env_cfg, agent_cfg)
    folder = Path(args.output_dir) if args.output_dir else source.path.parent / "evaluation"
    if scenarios:
        return evaluate_scenarios(args, source, scenarios, folder)
    terminations = configure_evaluation(env_cfg, perturbed=not args.exact_start)
    if args.ray_options is not None:
        num_rollouts, checkpoint = len(plan_rollouts(len(clips), args.num_envs)), None if args.experts else source.path
        played, joint_names = play_parts(argv, checkpoint, num_rollouts, args.ray_options, folder)
    else:
        starts = ["first", "random"] if args.start_frames == "random" else ["first"]
        played, joint_names = play_clips(args, env_cfg, agent_cfg, source, len(clips), terminations, starts)
    if args.part is not None:
        save_part(args.part.file(folder), played, joint_names)
        return PartResult(folder, sum(len(rollouts.recordings) for rollouts in played.values()))
    robot = get_robot(env_cfg.robot_name)
    evaluated = Evaluated(played["first"], clips, robot, joint_names, env_cfg.rewards, played.get("random"))
    details = describe_evaluation(args, env_cfg, source.path, clips)
    content = write_report(folder, evaluated, details, args.video, args.video_length)
    return EvaluationResult(content["overall"], content["per_clip"], folder, content.get("starts", []))


def _source(args: argparse.Namespace, env_cfg, agent_cfg) -> PolicySource:
    """Policy of a command line, checked against the task."""
    source = ExpertsPolicy(args) if args.experts else CheckpointPolicy(resolve_checkpoint(args, agent_cfg))
    source.configure(env_cfg, agent_cfg)
    return source


def evaluate_scenarios(
    args: argparse.Namespace, source: PolicySource, names: list[str], folder: Path
) -> RobustnessResult:
    """Play every scenario and write the table.

    Args:
        args: Parsed command line; ``num_envs`` episodes each.
        source: Policy to play.
        names: Scenarios.
        folder: Folder to write to; it is created.
    """
    rows = [condition_row("scenario", name, _play_scenario(args, source, find_scenario(name))) for name in names]
    env_cfg, _ = resolve_configs(args, play=True)
    return write_scenarios(folder, rows, describe_evaluation(args, env_cfg, source.path, load_task_clips(env_cfg)))


def play_clips(
    args: argparse.Namespace,
    env_cfg,
    agent_cfg,
    source: PolicySource,
    num_clips: int,
    terminations,
    starts: Sequence[str],
    disturb: Disturbance | None = None,
) -> tuple[dict[str, Rollouts], list[str]]:
    """Start the engine, play every clip and stop the engine.

    Args:
        args: Parsed command line; ``num_envs`` rollouts are made for each of ``starts``, in at most as many envs.
        env_cfg: Config from :func:`~.rollout.configure_evaluation`.
        agent_cfg: Agent config that the source has configured.
        source: Policy to play.
        num_clips: Number of clips of the config.
        terminations: Terminations that count as failures.
        starts: Where rollouts start: ``first`` is frame 0, ``random`` are frames spread over each clip.
        disturb: Acts on the environment or the actions before each step.

    Returns:
        The rollouts for each of ``starts``, and the joints in the order of their recordings.
    """
    planned = plan_rollouts(num_clips, args.num_envs)
    numbers = torch.arange(len(planned)) if args.part is None else args.part.rollouts(len(planned))
    env_cfg.scene.num_envs = len(numbers) if num_clips <= args.num_envs else min(args.num_envs, len(numbers))
    robot = get_robot(env_cfg.robot_name)
    judge = judge_of(env_cfg.rewards, terminations, robot)
    early_stop = EarlyStop(terminations, robot.body_names[0])
    with tracking_env(args, env_cfg, agent_cfg) as env:
        policy, played = source.load(env, agent_cfg), {}
        for name in starts:
            frames = _start_frames(name, planned, env, env_cfg.seed)[numbers]
            clip_ids, seed = planned[numbers], env_cfg.seed
            played[name] = run_rollouts(env, policy, clip_ids, frames, seed, judge, disturb, early_stop, numbers)
        return played, list(env.unwrapped.scene["robot"].joint_names)


def _start_frames(name: str, clip_ids: Tensor, env: RslRlVecEnvWrapper, seed: int) -> Tensor:
    """Start frame of each rollout of a plan: frame 0 for ``first``, frames spread over each clip for ``random``."""
    if name == "first":
        return torch.zeros_like(clip_ids)
    num_steps = env.unwrapped.command_manager.get_term("motion").last_frames.cpu()[clip_ids]
    return spread_starts(clip_ids, num_steps, env.unwrapped.step_dt, seed)


def judge_of(rewards, terminations, robot: RobotModel) -> Callable[[Recording], RolloutMetrics]:
    """Function that measures recordings of a robot under a task's rewards and terminations."""
    return lambda recording: measure(recording, rewards, terminations, robot.body_names[0], robot)


def _play_scenario(args: argparse.Namespace, source: PolicySource, scenario: Scenario) -> Rollouts:
    env_cfg, agent_cfg = resolve_configs(args, play=True)
    source.configure(env_cfg, agent_cfg)
    clips = load_task_clips(env_cfg)
    terminations = configure_evaluation(env_cfg, perturbed=not args.exact_start)
    scenario.configure(env_cfg)
    disturb = scenario.disturb(env_cfg) if scenario.disturb else None
    with tempfile.TemporaryDirectory() as folder:
        if scenario.speed != 1.0:
            clips = _retimed(env_cfg, clips, scenario, Path(folder))
        starts = [args.start_frames]
        played, _ = play_clips(args, env_cfg, agent_cfg, source, len(clips), terminations, starts, disturb)
    return played[args.start_frames]


def _retimed(env_cfg, clips: list[MotionClip], scenario: Scenario, folder: Path) -> list[MotionClip]:
    """Replace the config's clips by faster or slower ones, written to a folder."""
    clips = [time_scaled(clip, scenario.speed, env_cfg.robot_name) for clip in clips]
    files = [clip.save(folder / f"{index:05d}.npz") for index, clip in enumerate(clips)]
    env_cfg.commands.motion.motion_files = [str(file) for file in files]
    return clips


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
    parser.add_argument(
        "--start_frames",
        choices=START_FRAMES,
        default=None,
        help="Where rollouts start: at frame 0 of each clip (first, the default), or also at random frames spread over"
        " it, with a row of their own (random). Scenarios start at random frames unless this says first.",
    )
    parser.add_argument("--part", type=Part.parse, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the numbers here too.")
    add_walk_args(parser)
    add_ray_args(parser)
    add_expert_args(parser)
    args = parse_args(parser, argv)
    args.ray_options = ray_options(args)
    _check_ray(args, argv)
    if args.json and not args.json.absolute().parent.is_dir():
        raise FileNotFoundError(f"--json {args.json}: its folder does not exist.")
    _check_video(args)
    args.num_envs = args.num_envs or (NUM_EPISODES if args.scenarios else NUM_ROLLOUTS)
    args.start_frames = args.start_frames or ("random" if args.scenarios else "first")
    if not args.experts:
        args.checkpoint = args.checkpoint or "latest"
    return args


def _check_ray(args: argparse.Namespace, argv: list[str]) -> None:
    if args.ray_options is None:
        return
    if args.scenarios:
        raise ValueError("--ray plays the clips in parts, not --scenarios: drop one.")
    if args.ray_options.num_workers is None:
        raise ValueError("--ray needs the number of parts to play the clips in: --num_workers N.")
    if any(token.split("=")[0] == "--device" for token in argv):
        raise ValueError("--device is for this machine; with --ray use --gpu_per_worker 0 for the CPU, 1 for a GPU.")


def _check_video(args: argparse.Namespace) -> None:
    if not args.video:
        return
    if args.scenarios:
        raise ValueError("--video shows the median and the worst rollout, which --scenarios does not keep: drop one.")
    check_video_length(args)
    require_encoder()
