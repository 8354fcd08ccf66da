"""``evaluate.py`` for tasks that walk by command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from whole_body_tracking.evaluation.provenance import describe_evaluation
from whole_body_tracking.evaluation.scenarios import DELAY, Scenario, find_scenario
from whole_body_tracking.files import write_json, write_table
from whole_body_tracking.locomotion.command import VelocityCommand, spread_commands
from whole_body_tracking.locomotion.modes import parse_command, require_mode, spread_mode_commands
from whole_body_tracking.locomotion.pose_set import PoseSet, load_pose_set
from whole_body_tracking.rl.policies import CheckpointPolicy
from whole_body_tracking.rl.session import resolve_configs, tracking_env
from whole_body_tracking.robots import get_robot
from whole_body_tracking.tasks.locomotion.command_check import ranges_of, velocity_cfg_of
from whole_body_tracking.tasks.locomotion.mode_check import modes_of

from .recording import WalkRecording, measure_walks, summary
from .report import WalkResult, report_walks
from .rollout import configure_walks, roll_walks

SCENARIOS = (
    "standard", "high_friction", "low_friction", "strong_push", "payload", DELAY, "sensor_noise", "gain_error",
)  # fmt: skip
"""Scenarios that make sense without a clip."""
LONGEST_WALK = 120.0
"""[s]"""


def add_walk_args(parser: argparse.ArgumentParser) -> None:
    """Add the flags of tasks that walk by command."""
    group = parser.add_argument_group("tasks that walk by command")
    group.add_argument(
        "--command",
        metavar="vx=X,vy=Y,heading=H",
        help="One command for all walks, such as vx=0.5 or mode=turn,heading=1; default: spread over ranges and modes.",
    )
    group.add_argument("--seconds", type=float, default=None, help="Length of a walk (10).")
    group.add_argument("--pose_clips", nargs="+", default=None, metavar="FILE", help="Clips to compare poses with.")


def joined_command(argv: list[str]) -> list[str]:
    """Arguments with ``--command vx=0.5`` as one token: alone, ``vx=0.5`` would look like an override."""
    joined: list[str] = []
    for token in argv:
        if joined and joined[-1] == "--command":
            joined[-1] = f"--command={token}"
        else:
            joined.append(token)
    return joined


def check_walk_args(args: argparse.Namespace, walks: bool) -> None:
    """Refuse flags that do not fit the task, and bad values, before anything is loaded.

    Args:
        args: Parsed command line.
        walks: Whether the task walks by command.

    Raises:
        ValueError: If one does not fit; the message names it.
    """
    if not walks:
        given = [name for name in ("command", "seconds", "pose_clips") if getattr(args, name) is not None]
        if given:
            raise ValueError(f"--{given[0]} is for tasks that walk by command, and {args.task} has no such command.")
        return
    given = [flag for flag in ("experts", "ray_options", "part") if getattr(args, flag, None) is not None]
    if given:
        flags = {"experts": "--experts", "ray_options": "--ray", "part": "--part"}
        raise ValueError(f"{flags[given[0]]} is for tasks that track clips, and {args.task} walks by command.")
    if args.start_frames == "random" and not args.scenarios:
        raise ValueError(f"--start_frames random is for clips, and {args.task} walks by command.")
    seconds = args.seconds
    if seconds is not None and not 0.0 < seconds <= LONGEST_WALK:
        raise ValueError(f"--seconds is {seconds:g}, expected more than 0 and at most {LONGEST_WALK:g}.")


def evaluate_walks(args: argparse.Namespace, env_cfg: Any, agent_cfg: Any, source: CheckpointPolicy) -> WalkResult:
    """Walk, measure, and write a report or a table of scenarios.

    Args:
        args: Parsed command line; ``num_envs`` walks are made.
        env_cfg: Play config of the task.
        agent_cfg: Its agent config, which the source has configured.
        source: Policy to play.

    Raises:
        FileNotFoundError: If a clip to compare with does not exist.
        ValueError: If a command, clip or scenario is wrong.
    """
    robot, commands = get_robot(env_cfg.robot_name), _commands(args, env_cfg)
    poses = load_pose_set(args.pose_clips or [], robot)
    names = scenario_names(args.scenarios) if args.scenarios else []
    folder = Path(args.output_dir) if args.output_dir else source.path.parent / "evaluation"
    details = describe_evaluation(args, env_cfg, source.path, []) | {"seconds": args.seconds or 10.0}
    details["commands"] = args.command or "spread"
    if names:
        return _scenarios(args, source, names, commands, poses, folder, details)
    configure_walks(env_cfg, perturbed=not args.exact_start)
    recording = _walk(args, env_cfg, agent_cfg, source, commands)
    return report_walks(folder, recording, robot, poses, details, args.video)


def scenario_names(text: str) -> list[str]:
    """Names in a comma-separated list, or all that make sense for walks for ``all``.

    Raises:
        ValueError: If one is unknown or needs a clip; the message lists those that exist.
    """
    names = list(SCENARIOS) if text == "all" else [name for name in text.split(",") if name]
    for name in names or [text]:
        find_scenario(name)
        if name.partition(":")[0] not in SCENARIOS:
            raise ValueError(f"Scenario '{name}' changes a clip, and this task has none. Take of {list(SCENARIOS)}.")
    return list(dict.fromkeys(names))


def _commands(args: argparse.Namespace, env_cfg: Any) -> list[VelocityCommand]:
    ranges, modes = ranges_of(velocity_cfg_of(env_cfg)), modes_of(env_cfg)
    if args.command is None and modes is None:
        return spread_commands(ranges, args.num_envs, env_cfg.seed)
    if args.command is None:
        return spread_mode_commands(ranges, modes, args.num_envs, env_cfg.seed)
    command = parse_command(args.command)
    require_mode(command, modes or (), args.task)
    command.require_within(ranges)
    return [command] * args.num_envs


def _scenarios(args, source, names, commands, poses: PoseSet, folder: Path, details: dict) -> WalkResult:
    rows = []
    for name in names:
        env_cfg, agent_cfg = resolve_configs(args, play=True)
        source.configure(env_cfg, agent_cfg)
        configure_walks(env_cfg, perturbed=not args.exact_start)
        scenario = find_scenario(name)
        scenario.configure(env_cfg)
        recording = _walk(args, env_cfg, agent_cfg, source, commands, scenario)
        rows.append({"scenario": name} | summary(measure_walks(recording, get_robot(env_cfg.robot_name), poses)))
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "scenarios.csv", rows)
    descriptions = {name: find_scenario(name).description for name in names}
    write_json(folder / "scenarios.json", {"scenarios": rows, "descriptions": descriptions} | details)
    return WalkResult(rows[0], folder, rows)


def _walk(args, env_cfg, agent_cfg, source, commands, scenario: Scenario | None = None) -> WalkRecording:
    env_cfg.scene.num_envs = len(commands)
    disturb = scenario.disturb(env_cfg) if scenario is not None and scenario.disturb else None
    with tracking_env(args, env_cfg, agent_cfg) as env:
        policy = source.load(env, agent_cfg)
        num_steps = round((args.seconds or 10.0) / env.unwrapped.step_dt)
        return roll_walks(env, policy, commands, num_steps, env_cfg.seed, disturb)
