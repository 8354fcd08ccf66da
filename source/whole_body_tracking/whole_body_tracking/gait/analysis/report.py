"""Gait parameters as a table, CSV, JSON and plots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from whole_body_tracking.files import replacing, write_json, write_table

from .measuring import MEASURES, Cycle, GaitReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNITS = {
    "cadence": ("steps/min", 1.0, 1),
    "speed": ("m/s", 1.0, 3),
    "lateral_speed": ("m/s", 1.0, 3),
    "stride_length": ("m", 1.0, 3),
    "double_support": ("%", 100.0, 1),
    "zmp_inside": ("%", 100.0, 1),
    "asymmetry": ("%", 100.0, 1),
    "pelvis_yaw": ("deg", 180.0 / np.pi, 1),
    "torso_pitch": ("deg", 180.0 / np.pi, 1),
    "arm_swing": ("deg", 180.0 / np.pi, 1),
    "turn_rate": ("deg/s", 180.0 / np.pi, 1),
}
"""Unit, factor and digits of a number in the table; the others are lengths in centimetres."""
PLOTTED = ("speed", "cadence", "stride_length", "step_width", "clearance", "double_support")
LEAST_SPAN = 0.1
"""Of a plot's axis, as a share of its largest value."""


def table_lines(report: GaitReport) -> list[str]:
    """A plain table of one clip for a terminal: mean and spread over the cycles."""
    head = (
        f"{report.name}: {report.walking:.1f} of {report.duration:.1f} s walking in {len(report.windows)} windows,"
        f" {report.num_steps} steps, {len(report.cycles)} cycles"
    )
    if not report.cycles:
        return [head + "; no gait cycle found (left, right, left, each within 1.6 s of the last)"]
    lines = [head]
    for name in MEASURES:
        unit, factor, digits = UNITS.get(name, ("cm", 100.0, 1))
        mean, spread = factor * report.mean(name), factor * report.spread(name)
        lines.append(f"  {name:<16}{mean:9.{digits}f} +- {spread:.{digits}f} {unit}")
    return lines


def write_gait_json(path: Path, reports: list[GaitReport]) -> None:
    """Write ``{"clips": [...]}``: SI units, cadence in steps per minute, null where a clip has no cycle."""
    write_json(path, {"clips": [report.as_json() for report in reports]})


def write_clip_table(path: Path, reports: list[GaitReport]) -> None:
    """Write one CSV row per clip."""
    rows = [report.as_json() for report in reports]
    write_table(path, [{key: value for key, value in row.items() if key != "windows"} for row in rows])


def write_cycle_table(path: Path, reports: list[GaitReport]) -> None:
    """Write one CSV row per gait cycle."""
    rows = [{"clip": report.name, **vars(cycle)} for report in reports for cycle in report.cycles]
    columns = dict.fromkeys(("clip", "start", "end", *MEASURES))
    write_table(path, rows or [columns])


def write_gait_plot(path: Path, report: GaitReport) -> None:
    """Plot the cycles of one clip over time, walking windows shaded, as a PNG."""
    with replacing(path, ".png") as partial:
        gait_figure(report).savefig(partial, dpi=110)


def gait_figure(report: GaitReport) -> Figure:
    """The plot; an axis spans a tenth of its values at least, so that a steady walk looks steady."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 9.0), layout="constrained")
    for axes, name in zip(figure.subplots(len(PLOTTED), 1, sharex=True), PLOTTED, strict=True):
        unit, factor, _ = UNITS.get(name, ("cm", 100.0, 1))
        for start, end in report.windows:
            axes.axvspan(start, end, color="0.93")
        axes.plot([_middle(c) for c in report.cycles], [factor * getattr(c, name) for c in report.cycles], ".-")
        axes.set_ylabel(f"{name}\n[{unit}]", fontsize=8)
        low, high = axes.get_ylim()
        room = 0.5 * max(0.0, LEAST_SPAN * max(abs(low), abs(high)) - (high - low))
        axes.set_ylim(low - room, high + room)
        axes.ticklabel_format(axis="y", useOffset=False)
    axes.set_xlabel("time [s]")
    figure.suptitle(report.name, parse_math=False)
    return figure


def _middle(cycle: Cycle) -> float:
    return 0.5 * (cycle.start + cycle.end)
