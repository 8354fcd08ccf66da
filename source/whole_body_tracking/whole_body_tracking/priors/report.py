"""What an evaluation looks like: tables, ``report.html``, and a page in which prediction and truth move."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from whole_body_tracking.files import write_atomically

from .baselines import BASELINES
from .evaluate import EvaluationResult
from .measuring.accuracy import HORIZONS
from .measuring.bodies import body_poses
from .measuring.rollouts import DRAWN, MODEL

REPORT_FILE, PAGE_FILE = "report.html", "rollout.html"
COLORS = {MODEL: "#1f5fa8", DRAWN: "#5b9bd5", "hold": "#8a8f98", "constant_velocity": "#c2703d"}
BESIDE = 1.1
"""Distance between prediction and truth on the page [m]."""
DEFINITIONS = {
    "single_step, rollout": "Root mean square over windows and joints of the joint position error at a frame [rad].",
    "ratio_60_to_1": "That at frame 60 over that at frame 1.",
    "growth_exponent": "k in error ~ frame^k, fitted up to frame 60; below 1 is sublinear.",
    "collapse_share": "Share of rollouts whose joint speed (RMS over the last 100 frames) is below 10 % of the truth's,"
    " or that exceed a joint limit by 0.2 rad.",
    "standing_windows": "Rollouts left out of collapse_share, because their truth stands (below 0.05 rad/s).",
    "speed_share": "Joint speed over the truth's, RMS over the last 100 frames of all rollouts.",
    "amplitude_share": "How far joints swing over the truth's: RMS about each rollout's mean of the last 100 frames.",
    "root_lag_s": "Delay of the root's forward velocity behind the truth over 60 frames [s].",
    "l2p, l2q": "Mean norm of the bodies' position [m] and quaternion differences over the first frames.",
    "npss": "Normalised power spectrum similarity of joint positions over the first frames; 0 is best.",
    "foot_skate": "Mean horizontal speed of feet whose sole is below 2 cm [m/s].",
}


def print_result(result: EvaluationResult, console: Console) -> None:
    """Print the table of errors by frame, and what does not fit into it."""
    content = result.content
    clips = ", ".join(content["clips"])
    title = f"{content['mode']} on {content['num_windows']} windows of {content['role']} clips: {clips}"
    if "rollout" not in content:
        _print_vae(content, title, console)
        return
    frames = list(content["rollout"])
    table = Table(f"joint RMSE \\[rad] at {content['fps']:g} fps", *frames, title=title, title_justify="left")
    for name in (MODEL, *([DRAWN] if DRAWN in content else []), *BASELINES):
        table.add_row(name, *(f"{row:.4f}" for row in _errors(content, name).values()))
    console.print(table)
    for line in summary_lines(content):
        console.print(line, highlight=False, markup=False)


def summary_lines(content: dict) -> list[str]:
    """The numbers beside the table, in words."""
    better = [frame for frame in content["rollout"] if _beats_both(content, frame)]
    lines = [f"below both baselines at frames: {', '.join(better) or 'none'}"]
    if "ratio_60_to_1" in content:
        lines.append(
            f"frame 60 over frame 1: {content['ratio_60_to_1']:.1f}; error ~ frame^{content['growth_exponent']:.2f}"
        )
    for name, life in (("mean", content), (DRAWN, content.get(DRAWN))):
        if life is not None:
            lines.append(
                f"{name} rollouts: {life['collapse_share']:.1%} collapsed, joint speed {life['speed_share']:.0%} and"
                f" swing {life['amplitude_share']:.0%} of the truth's at the end, root velocity"
                f" {life['root_lag_s']:+.2f} s behind"
            )
    skates = {name: values["foot_skate"] for name, values in content["bodies"].items()}
    lines.append("foot skate [m/s]: " + ", ".join(f"{name} {value:.2f}" for name, value in skates.items()))
    return lines


def _errors(content: dict, name: str) -> dict[str, float]:
    if name == MODEL:
        return content["rollout"]
    return content[DRAWN]["rollout"] if name == DRAWN else content[name]


def _beats_both(content: dict, frame: str) -> bool:
    return content["rollout"][frame] < min(content[name][frame] for name in BASELINES)


def _print_vae(content: dict, title: str, console: Console) -> None:
    table = Table("part", "RMSE of the reconstruction", title=title, title_justify="left")
    for name, value in content["reconstruction"].items():
        table.add_row(name, f"{value:.4f}")
    console.print(table)
    speeds = ", ".join(f"{name} {value:.1f}" for name, value in content["max_joint_speed"].items())
    console.print(f"R2 of joint positions {content['joint_pos_r2']:.2f}; mean pose {content['mean_pose']:.4f} rad")
    console.print(f"largest joint speed [rad/s]: {speeds}", highlight=False, markup=False)


def write_report(folder: Path, result: EvaluationResult) -> list[Path]:
    """Write ``report.html``, and ``rollout.html`` if there are rollouts; both open offline."""
    from whole_body_tracking import html_parts as html

    folder.mkdir(parents=True, exist_ok=True)
    written, parts = [], [f"<h1>MotionNN: {result.content['mode']}</h1>"]
    if result.rollouts:
        written.append(_write_page(folder / PAGE_FILE, result))
        parts.append("".join(f'<p class="lead">{line}</p>' for line in summary_lines(result.content)))
        parts.append(f'<p><a href="{PAGE_FILE}">See prediction and truth move side by side</a></p>')
        parts += ["<h2>Errors by frame</h2>", html.table(*_error_rows(result.content))]
        parts += [html.image(_growth_figure(result), "Joint error over time")]
        parts += [html.image(_joint_figure(result), "Joints of the first window")]
        parts += ["<h2>Bodies</h2>", html.table(*_body_rows(result.content))]
    else:
        rows = [(name, f"{value:.4f}") for name, value in result.content["reconstruction"].items()]
        parts.append(html.table(("part", "RMSE of the reconstruction"), rows))
    parts += ["<h2>Definitions</h2>", html.table(("number", "meaning"), list(DEFINITIONS.items()))]
    write_atomically(folder / REPORT_FILE, html.page("MotionNN", parts))
    return [folder / REPORT_FILE, *written]


def _error_rows(content: dict) -> tuple[Sequence[str], list[list[str]]]:
    rows = []
    for name, frames in content["details"].items():
        rows += [[name, frame, *(f"{value:.4g}" for value in errors.values())] for frame, errors in frames.items()]
    first = next(iter(content["details"][MODEL].values()))
    return ("", "frame", *first), rows


def _body_rows(content: dict) -> tuple[Sequence[str], list[list[str]]]:
    rows = []
    for name, values in content["bodies"].items():
        for metric in ("l2p", "l2q", "npss"):
            rows += [[name, f"{metric}@{n}", f"{value:.4g}"] for n, value in values.get(metric, {}).items()]
        rows.append([name, "foot_skate", f"{values['foot_skate']:.4g}"])
    return ("", "metric", "value"), rows


def _growth_figure(result: EvaluationResult):
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter

    figure = Figure(figsize=(10.0, 3.4), layout="constrained")
    axis, joints, truth = figure.subplots(), result.layout.slices["joint_pos"], result.windows.truth
    for name, states in result.rollouts.items():
        error = (states - truth)[..., joints].square().mean((0, 2)).sqrt()
        axis.loglog(range(1, len(error) + 1), error, label=name.replace("_", " "), color=COLORS[name])
    for frame in HORIZONS:
        axis.axvline(frame, color="#ddd", linewidth=0.8, zorder=0)
    axis.set(xlabel="frame", ylabel="joint RMSE [rad]")
    for scale in (axis.xaxis, axis.yaxis):  # plain numbers: powers of ten would be set as mathematics, which is slow
        scale.set_major_formatter(LogFormatter())
        scale.set_minor_formatter(LogFormatter(minor_thresholds=(2.0, 0.4)))
    axis.legend(fontsize=8)
    return figure


def _joint_figure(result: EvaluationResult):
    from matplotlib.figure import Figure

    joints, truth = result.layout.slices["joint_pos"], result.windows.truth[0]
    moving = truth[:, joints].std(0).argsort(descending=True)[:6].tolist()
    figure = Figure(figsize=(10.0, 5.0), layout="constrained")
    times = np.arange(1, len(truth) + 1) / result.layout.fps
    for axis, joint in zip(figure.subplots(2, 3, sharex=True).flatten(), moving, strict=False):
        axis.plot(times, truth[:, joints][:, joint], color="#8a8f98", label="truth")
        axis.plot(times, result.rollouts[MODEL][0][:, joints][:, joint], color=COLORS[MODEL], label="prediction")
        axis.set_title(result.layout.joint_names[joint], fontsize=10, parse_math=False)
    for axis in figure.axes[-3:]:
        axis.set_xlabel("time [s]")
    for axis in figure.axes[::3]:
        axis.set_ylabel("[rad]")
    figure.axes[0].legend(fontsize=8)
    return figure


def _write_page(path: Path, result: EvaluationResult) -> Path:
    """The first window: the prediction, and the truth beside it."""
    from whole_body_tracking.viewer.page import write_page
    from whole_body_tracking.viewer.tracks import Track

    windows, robot = result.windows, result.robot
    tracks = []
    for name, states in (("prediction", result.rollouts[MODEL]), ("truth", windows.truth)):
        poses = body_poses(states[:1], windows.root_pos[:1], windows.root_quat[:1], result.layout, robot)
        shift = torch.tensor([0.0, BESIDE if name == "truth" else 0.0, 0.0])
        pos = (poses.pos_w[0] + shift).numpy()
        tracks.append(Track(name, robot, list(robot.body_names), pos, poses.quat_w[0].numpy(), ghost=name == "truth"))
    return write_page(path, tracks, result.layout.fps, f"MotionNN ({result.content['mode']}): {windows.clips[0]}")
