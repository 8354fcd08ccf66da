"""Tables of the same policy under several conditions: scenarios, or where rollouts start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from whole_body_tracking.evaluation.batches import Rollouts
from whole_body_tracking.evaluation.metrics.intervals import wilson_interval
from whole_body_tracking.evaluation.scenarios import find_scenario
from whole_body_tracking.files import write_json, write_table

SHOWN = ("completion", "tracking_reward", "r_mpkpe", "anchor_pos")
"""Metrics in the table for a terminal."""


@dataclass
class RobustnessResult:
    """Numbers of the scenarios, and where they are written."""

    rows: list[dict]
    """One of :func:`condition_row` for each scenario."""
    folder: Path
    """Where ``scenarios.json`` and ``scenarios.csv`` are."""

    def render(self) -> str:
        """A plain table for a terminal."""
        return render_conditions("scenario", self.rows)


def condition_row(kind: str, name: str, rollouts: Rollouts) -> dict:
    """Success with its 95 % interval, and the means of all metrics, under one condition.

    The interval is Wilson's for as many trials as there are independent starts: rollouts that start in the same second
    of a clip are near-copies of each other, and count as one trial with the mean of their successes.

    Args:
        kind: Heading of the conditions, such as ``scenario``.
        name: Name of this one.
        rollouts: Rollouts under it.
    """
    means, num_trials = rollouts.measured.mean(), rollouts.num_independent
    success = means.pop("success")
    low, high = wilson_interval(success * num_trials, num_trials)
    counts = {"num_rollouts": len(rollouts.recordings), "num_independent": num_trials}
    return {kind: name} | counts | {"success": success, "success_low": low, "success_high": high} | means


def render_conditions(kind: str, rows: Sequence[dict]) -> str:
    """Rows of :func:`condition_row` as a plain table for a terminal."""
    header = f"{kind:<16}{'rollouts':>9}{'independent':>12}{'success':>9}  {'95 % interval':<14}"
    lines = [header + "".join(f"{name:>17}" for name in SHOWN)]
    for row in rows:
        interval = f"{row['success_low']:.2f} to {row['success_high']:.2f}"
        values = [f"{row[name]:.3f}" if name in row else "-" for name in SHOWN]
        counts = f"{row[kind]:<16}{row['num_rollouts']:>9}{row['num_independent']:>12}{row['success']:>9.2f}"
        lines.append(f"{counts}  {interval:<14}" + "".join(f"{value:>17}" for value in values))
    return "\n".join(lines)


def write_scenarios(folder: Path, rows: list[dict], details: dict) -> RobustnessResult:
    """Write ``scenarios.csv`` and ``scenarios.json``.

    Args:
        folder: Folder to write to; it is created.
        rows: One of :func:`condition_row` for each scenario.
        details: Provenance of the evaluation.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "scenarios.csv", rows)
    descriptions = {row["scenario"]: find_scenario(row["scenario"]).description for row in rows}
    write_json(folder / "scenarios.json", {"scenarios": rows, "descriptions": descriptions} | details)
    return RobustnessResult(rows, folder)
