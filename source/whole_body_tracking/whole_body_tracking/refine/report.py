"""What a refinement looks like: a table, a JSON file, a plot of errors over time."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from whole_body_tracking.files import write_atomically

from .job import ClipSummary, MeasuredMethod, RefinedClip

COLUMNS = (
    "method",
    "1 step [rad]",
    "50 steps [rad]",
    "drift [m]",
    "reward",
    "finished",
    "mpkpe [cm]",
    "time [s]",
)


def print_clip(result: RefinedClip, console: Console) -> None:
    """Print a row for each method, the notes of each, and where the best went."""
    table = Table(*COLUMNS, title=f"{result.name}: {_residual(result)}", title_justify="left")
    for method in (result.baseline, *result.methods):
        table.add_row(*_cells(method, result))
    console.print(table)
    for method in result.methods:
        for note in method.refined.notes:
            console.print(f"{result.name}, {method.name}: {note}", highlight=False)
    if result.output_path:
        console.print(f"Written: {result.output_path} ({result.best.name})", highlight=False, soft_wrap=True)


def print_library(clips: Sequence[ClipSummary], console: Console) -> None:
    """Print a row for each clip: how feasible it is, and how far its best method gets."""
    table = Table(title="Root residual in body weights, and the best method of each clip", title_justify="left")
    for column in ("clip", "frames", "median", "95 %", "over 0.2", "best", "survived", "mpkpe [cm]", "time [s]"):
        table.add_column(column, no_wrap=column == "clip")
    for clip in clips:
        table.add_row(
            clip.name,
            str(len(clip.root_residual)),
            f"{np.median(clip.root_residual):.3f}",
            f"{np.percentile(clip.root_residual, 95):.3f}",
            f"{(clip.root_residual > 0.2).mean():.0%}",
            clip.best,
            f"{clip.survived:.0%}",
            f"{100.0 * clip.mpkpe:.1f}",
            f"{clip.seconds:.2f}",
        )
    console.print(table)


def write_refinement_json(path: Path, clips: Sequence[ClipSummary]) -> None:
    """Write one clip as an object, several as a list."""
    content = [clip.as_json() for clip in clips]
    write_atomically(path, json.dumps(content[0] if len(content) == 1 else content, indent=2) + "\n")


def require_folder(path: Path) -> None:
    """Check before hours of work that a file can be written.

    Raises:
        FileNotFoundError: If its folder does not exist.
    """
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"Cannot write {path}: the folder {path.absolute().parent} does not exist.")


def write_error_plot(path: Path, result: RefinedClip) -> None:
    """Plot body error over the clip, open-loop errors over a window, and the root residual, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 8.0), layout="constrained")
    whole, window, residual = figure.subplots(3, 1)
    dt = result.problem.reference.control_dt
    for method in (result.baseline, *result.methods):
        error = 100.0 * method.playback.body_error
        whole.plot(dt * np.arange(1, len(error) + 1), error, label=method.name, linewidth=1.2)
        if method.windows is not None:
            steps = np.arange(1, method.windows.num_steps + 1)
            window.plot(dt * steps, method.windows.joint, label=method.name, linewidth=1.2)
    whole.set(
        xlabel="time [s]", ylabel="body error [cm]", ylim=(0.0, 60.0), title=f"{result.name} from its first frame"
    )
    window.set(xlabel="time in the window [s]", ylabel="joint error [rad]", yscale="log", title="open-loop windows")
    body_weights = result.problem.dynamics.root_residual
    residual.plot(dt * np.arange(len(body_weights)), body_weights, color="#8a8f98", linewidth=1.0)
    residual.set(xlabel="time [s]", ylabel="root residual [body weights]", ylim=(0.0, None))
    for axis in (whole, window, residual):
        axis.grid(alpha=0.3)
    whole.legend(fontsize=8)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    write_atomically(path, content.getvalue())


def _cells(method: MeasuredMethod, result: RefinedClip) -> list[str]:
    playback, windows = method.playback, method.windows
    survived = playback.num_survived * result.problem.reference.control_dt
    return [
        method.name,
        f"{method.single.joint[0]:.4f}",
        "-" if windows is None else f"{windows.joint[-1]:.4f}",
        "-" if windows is None else f"{windows.root[-1]:.3f}",
        f"{playback.reward:.3f}",
        "yes" if playback.finished else f"no, {survived:.1f} s",
        f"{100.0 * playback.mpkpe:.1f}",
        "-" if method.refined is None else f"{method.refined.seconds:.2f}",
    ]


def _residual(result: RefinedClip) -> str:
    values = result.problem.dynamics.root_residual
    return f"root residual median {np.median(values):.3f}, 95 % below {np.percentile(values, 95):.3f} body weights"
