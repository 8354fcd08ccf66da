"""Cells of an ablation as one table: mean and standard deviation over seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from rich.table import Table

METRICS = {
    "success": ("success", 1.0, 2),
    "r_mpkpe": ("r_mpkpe [cm]", 100.0, 2),
    "mpkpe": ("mpkpe [cm]", 100.0, 2),
    "joint_rmse": ("joint RMSE [deg]", 1.0, 2),
    "tracking_reward": ("tracking reward", 1.0, 3),
    "mean_power": ("power [W]", 1.0, 0),
    "action_rate": ("action rate", 1.0, 3),
    "joint_jerk": ("joint jerk [rad/s^3]", 1.0, 0),
}
"""Metrics of the printed table: heading, factor and digits. The files hold all metrics."""
WALK_METRICS = {
    "survived": ("survived", 1.0, 2),
    "velocity_error": ("velocity error [m/s]", 1.0, 3),
    "heading_error": ("heading error [rad]", 1.0, 3),
    "falls_per_minute": ("falls per minute", 1.0, 1),
    "cost_of_transport": ("cost of transport", 1.0, 2),
    "slip": ("slip [m/s]", 1.0, 3),
    "jerk": ("jerk [rad/s^3]", 1.0, 0),
    "pose_distance": ("pose distance [rad]", 1.0, 3),
}
"""The same of tasks that walk by command."""
NOT_METRICS = {"variant", "seed", "run_folder", "num_rollouts"}


def summarise(rows: Sequence[dict]) -> list[dict]:
    """One row per variant, in the order of first appearance: seeds, and ``{metric: {"mean": ..., "std": ...}}``.

    The standard deviation is the sample's (n - 1), None for one seed. A metric is left out where a seed lacks it.
    """
    names = list(dict.fromkeys(row["variant"] for row in rows))
    return [_summary(name, [row for row in rows if row["variant"] == name]) for name in names]


def metrics_of(summary: Sequence[dict]) -> dict[str, tuple[str, float, int]]:
    """Metrics to print and draw: heading, factor and digits, by name."""
    walks = any("falls_per_minute" in row["metrics"] for row in summary)
    return WALK_METRICS if walks else METRICS


def render(summary: Sequence[dict]) -> Table:
    """The table for a terminal."""
    metrics = metrics_of(summary)
    table = Table("variant", "seeds", "M steps", *(heading for heading, _, _ in metrics.values()))
    for row in summary:
        steps = row["metrics"]["env_steps"]["mean"] / 1e6
        cells = [_cell(row["metrics"].get(name), factor, digits) for name, (_, factor, digits) in metrics.items()]
        table.add_row(row["variant"], str(len(row["seeds"])), f"{steps:.2f}", *cells)
    return table


def _summary(name: str, rows: list[dict]) -> dict:
    keys = [key for key in rows[0] if key not in NOT_METRICS and all(row.get(key) is not None for row in rows)]
    metrics = {key: _mean_and_std([float(row[key]) for row in rows]) for key in keys}
    return {"variant": name, "seeds": [row["seed"] for row in rows], "metrics": metrics}


def _mean_and_std(values: list[float]) -> dict[str, float | None]:
    std = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.fmean(values), "std": std}


def _cell(value: dict | None, factor: float, digits: int) -> str:
    if value is None or not math.isfinite(value["mean"]):
        return "-"
    spread = "" if value["std"] is None else f" ± {factor * value['std']:.{digits}f}"
    return f"{factor * value['mean']:.{digits}f}{spread}"
