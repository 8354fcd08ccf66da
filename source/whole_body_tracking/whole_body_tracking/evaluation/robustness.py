"""``evaluate.py --scenarios``: the same policy under every condition asked for, in one table."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.time_scaling import time_scaled
from whole_body_tracking.rl.policies import PolicySource
from whole_body_tracking.rl.session import resolve_configs
from whole_body_tracking.tasks.tracking.mdp import check_motion_command

from .files import write_json, write_table
from .metrics.intervals import wilson_interval
from .metrics.measure import RolloutMetrics
from .playing import play_clips
from .provenance import describe_evaluation
from .rollout import configure_evaluation
from .scenarios import SCENARIOS, Scenario

NUM_EPISODES = 100
"""Episodes of each scenario."""
SHOWN = ("completion", "tracking_reward", "r_mpkpe", "anchor_pos")


@dataclass
class RobustnessResult:
    """What the scenarios found."""

    rows: list[dict]
    """Name, number of episodes, success with its interval, and the means of all metrics, for each scenario."""
    folder: Path
    """Where ``scenarios.json`` and ``scenarios.csv`` are."""

    def render(self) -> str:
        """A plain table for a terminal."""
        lines = [f"{'scenario':<16}{'episodes':>9}{'success':>9}  {'95 % interval':<14}" + _cells(SHOWN)]
        for row in self.rows:
            interval = f"{row['success_low']:.2f} to {row['success_high']:.2f}"
            values = _cells([f"{row[name]:.3f}" if name in row else "-" for name in SHOWN])
            lines.append(f"{row['scenario']:<16}{row['num_rollouts']:>9}{row['success']:>9.2f}  {interval:<14}{values}")
        return "\n".join(lines)


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
    rows = [_play(args, source, name) for name in names]
    env_cfg, _ = resolve_configs(args, play=True)
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "scenarios.csv", rows)
    descriptions = {name: SCENARIOS[name].description for name in names}
    details = describe_evaluation(args, env_cfg, source.path, check_motion_command(env_cfg))
    write_json(folder / "scenarios.json", {"scenarios": rows, "descriptions": descriptions} | details)
    return RobustnessResult(rows, folder)


def scenario_row(name: str, measured: RolloutMetrics) -> dict:
    """Success with its interval, and the means of all metrics."""
    success = measured.values["success"]
    low, high = wilson_interval(int(success.sum()), len(success))
    means = measured.mean()
    first = {"scenario": name, "num_rollouts": len(success), "success": means.pop("success")}
    return first | {"success_low": low, "success_high": high} | means


def _play(args: argparse.Namespace, source: PolicySource, name: str) -> dict:
    scenario = SCENARIOS[name]
    env_cfg, agent_cfg = resolve_configs(args, play=True)
    source.configure(env_cfg, agent_cfg)
    clips = check_motion_command(env_cfg)
    terminations = configure_evaluation(env_cfg, perturbed=not args.exact_start)
    scenario.configure(env_cfg)
    disturb = scenario.disturb(env_cfg) if scenario.disturb else None
    with tempfile.TemporaryDirectory() as folder:
        if scenario.speed != 1.0:
            clips = _retimed(env_cfg, clips, scenario, Path(folder))
        rollouts, _ = play_clips(args, env_cfg, agent_cfg, source, len(clips), terminations, disturb)
    return scenario_row(name, rollouts.measured)


def _retimed(env_cfg, clips: list[MotionClip], scenario: Scenario, folder: Path) -> list[MotionClip]:
    """Replace the config's clips by faster or slower ones, written to a folder."""
    clips = [time_scaled(clip, scenario.speed, env_cfg.robot_name) for clip in clips]
    files = [clip.save(folder / f"{index:05d}.npz") for index, clip in enumerate(clips)]
    env_cfg.commands.motion.motion_files = [str(file) for file in files]
    return clips


def _cells(values) -> str:
    return "".join(f"{value:>17}" for value in values)
