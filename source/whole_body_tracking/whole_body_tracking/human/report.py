"""The report of a human motion: table, JSON, plots, and a page that holds them."""

from __future__ import annotations

import html
from pathlib import Path

import numpy as np

from whole_body_tracking.files import write_atomically

from .job import HumanResult
from .measuring import GroupError
from .model.muscles import metabolic_rate

MOST_PLOTTED = 8
"""Muscles with the largest forces that are drawn."""
GRAVITY = 9.81
"""[m/s^2]"""


def table_lines(result: HumanResult) -> list[str]:
    """A plain table for a terminal."""
    names = list(result.errors)
    lines = [f"{'joints':<16}{'n':>4}{'torque N m':>12}" + "".join(f"{name:>24}" for name in names)]
    for row, first in enumerate(result.errors[names[0]]):
        cells = "".join(f"{_error(result.errors[name][row]):>24}" for name in names)
        lines.append(f"{first.group:<16}{first.num_coordinates:>4}{first.torque:>12.2f}{cells}")
    return lines


def residual_lines(result: HumanResult) -> list[str]:
    """What muscles do not give, and what the ground does not."""
    force, moment = np.abs(result.dynamics.root_residual).reshape(-1, 2, 3).max((0, 2))
    lines = [f"residual {each.describe()}" for each in result.residuals]
    lines = lines or ["no residuals: every joint has its torque within 5 % or 0.05 N m"]
    return [*lines, f"root: at most {force:.1f} N and {moment:.1f} N m that the ground does not give"]


def report_json(result: HumanResult) -> dict:
    """Numbers of the report as JSON holds them."""
    rate = metabolic_total(result)
    return {
        "motion": result.motion.name,
        "frames": result.motion.num_frames,
        "fps": result.motion.fps,
        **result.as_json(),
        "root_residual_body_weights": float(
            np.linalg.norm(result.dynamics.root_residual[:, :3], axis=-1).max() / (GRAVITY * result.body.mass)
        ),
        "metabolic_rate_w": float(rate.mean()),
        "metabolic_rate_w_per_kg": float(rate.mean() / result.body.mass),
    }


def metabolic_total(result: HumanResult) -> np.ndarray:
    """Metabolic power of all muscles [W], shape [num_frames]."""
    return metabolic_rate(result.body.muscles, result.activation, result.dynamics.muscle_velocity).sum(-1)


def write_report_page(path: Path, result: HumanResult, body_page: Path | None) -> None:
    """Write the page; it opens offline, and shows ``body_page`` from beside it."""
    from whole_body_tracking.html_parts import image, page, table

    names = list(result.errors)
    rows = [
        [first.group, str(first.num_coordinates), f"{first.torque:.2f}"]
        + [cell for name in names for cell in (f"{result.errors[name][row].error:.3f}", _percent(result, name, row))]
        for row, first in enumerate(result.errors[names[0]])
    ]
    header = [
        "joints",
        "coordinates",
        "torque [N m]",
        *(f"{name}: {what}" for name in names for what in ("error [N m]", "%")),
    ]
    frame = "" if body_page is None else (
        f'<h2>Muscles</h2><p>Colour is activation; <a href="{body_page.name}">full window</a>.</p>'
        f'<iframe src="{body_page.name}" style="width:100%;height:640px;border:1px solid #ccc"></iframe>'
    )  # fmt: skip
    parts = [
        f"<h1>{html.escape(result.motion.name)}</h1>",
        f"<p>{result.motion.num_frames} frames at {result.motion.fps:g} fps, {len(result.body.muscles.names)} muscles,"
        f" {len(result.body.moved_names)} joint coordinates, {result.body.mass:.1f} kg.</p>",
        frame,
        "<h2>Torques</h2>",
        table(header, rows),
        "<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in residual_lines(result)) + "</ul>",
        "<h2>Forces and metabolic rate</h2>",
        image(_force_figure(result), "Largest muscle forces, and the ground's"),
        image(_rate_figure(result), "Metabolic rate (Minetti and Alexander 1997)"),
    ]
    write_atomically(path, page(result.motion.name, parts))


def _force_figure(result: HumanResult):
    from matplotlib.figure import Figure

    time = np.arange(result.motion.num_frames) / result.motion.fps
    figure = Figure(figsize=(9.0, 6.0), layout="constrained")
    muscles, ground = figure.subplots(2, 1, sharex=True)
    force = -(result.dynamics.active_force * result.activation + result.dynamics.passive_force)
    for rank, index in enumerate(np.argsort(-force.max(0))[:MOST_PLOTTED]):
        # Of a symmetric motion both sides lie on each other: the dashes show the one below.
        style = {"linestyle": (0, (4, 4)), "linewidth": 2.0} if rank % 2 else {"linewidth": 1.2}
        muscles.plot(time, force[:, index], label=result.body.muscles.names[index], **style)
    muscles.set(ylabel="tendon force [N]")
    muscles.legend(fontsize=7, ncols=2)
    for foot, side in enumerate(("left", "right")):
        ground.plot(time, result.dynamics.contact_force[:, foot, 2], label=f"{side} foot", linewidth=1.2)
    ground.set(ylabel="ground force, up [N]", xlabel="time [s]")
    ground.legend(fontsize=8)
    for axis in (muscles, ground):
        axis.grid(alpha=0.3)
    return figure


def _rate_figure(result: HumanResult):
    from matplotlib.figure import Figure

    time = np.arange(result.motion.num_frames) / result.motion.fps
    figure = Figure(figsize=(9.0, 3.2), layout="constrained")
    axis = figure.subplots()
    axis.plot(time, metabolic_total(result) / result.body.mass, linewidth=1.2)
    axis.set(xlabel="time [s]", ylabel="muscles' metabolic rate [W/kg]", ylim=(0.0, None))
    axis.grid(alpha=0.3)
    return figure


def _error(error: GroupError) -> str:
    return f"{error.error:.3f} N m {100.0 * error.share:6.2f} %"


def _percent(result: HumanResult, name: str, row: int) -> str:
    return f"{100.0 * result.errors[name][row].share:.2f}"
