"""The table of ``evaluate.py --scenarios``: the same policy under every condition asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from whole_body_tracking.evaluation.metrics.intervals import wilson_interval
from whole_body_tracking.evaluation.metrics.measure import RolloutMetrics
from whole_body_tracking.evaluation.scenarios import SCENARIOS
from whole_body_tracking.files import write_json, write_table

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


def scenario_row(name: str, measured: RolloutMetrics) -> dict:
    """Success with its interval, and the means of all metrics."""
    success = measured.values["success"]
    low, high = wilson_interval(int(success.sum()), len(success))
    means = measured.mean()
    first = {"scenario": name, "num_rollouts": len(success), "success": means.pop("success")}
    return first | {"success_low": low, "success_high": high} | means


def write_scenarios(folder: Path, rows: list[dict], details: dict) -> RobustnessResult:
    """Write ``scenarios.csv`` and ``scenarios.json``.

    Args:
        folder: Folder to write to; it is created.
        rows: One for each scenario, from :func:`scenario_row`.
        details: What the evaluation was made with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "scenarios.csv", rows)
    descriptions = {row["scenario"]: SCENARIOS[row["scenario"]].description for row in rows}
    write_json(folder / "scenarios.json", {"scenarios": rows, "descriptions": descriptions} | details)
    return RobustnessResult(rows, folder)


def _cells(values) -> str:
    return "".join(f"{value:>17}" for value in values)
