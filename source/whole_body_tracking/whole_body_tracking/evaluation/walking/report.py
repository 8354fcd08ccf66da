"""Files and tables of an evaluation of walks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from whole_body_tracking.files import write_json, write_table
from whole_body_tracking.locomotion.pose_set import PoseSet
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.viewer.page import write_page
from whole_body_tracking.viewer.tracks import Track

from .recording import (
    KEYS,
    WalkRecording,
    definitions_of,
    measure_walks,
    median_walk,
    mode_rows,
    summary,
    walk_rows,
    walked_clip,
)

FILES = ("report.json", "per_rollout.csv", "played.npz", "played.html", "played.mp4")
"""Every file that a report may have."""
MODE_COLUMNS = ("survived", "velocity_error", "heading_error", "r_mpkpe", "jerk")
"""Columns of the table of modes in a terminal; the report has all metrics."""


@dataclass
class WalkResult:
    """Numbers of an evaluation of walks, and where its report is."""

    overall: dict[str, float | int | None]
    """Mean of every metric; None where no walk has it."""
    folder: Path
    """Where the files are."""
    rows: list[dict] = field(default_factory=list)
    """One for each scenario, with its name; empty for none."""
    per_mode: list[dict] = field(default_factory=list)
    """One for each mode, with its name; empty for a policy without modes."""
    video: Path | None = None

    def render(self) -> str:
        """A plain table for a terminal."""
        if self.rows:
            return render_scenarios(self.rows)
        lines = [f"{name:>22}: {_text(value)}" for name, value in self.overall.items()]
        return "\n".join([*lines, "", render_rows("mode", self.per_mode, MODE_COLUMNS)] if self.per_mode else lines)


def render_scenarios(rows: Sequence[dict]) -> str:
    """Rows of scenarios as a plain table for a terminal."""
    return render_rows("scenario", rows, ("survived", *KEYS))


def render_rows(kind: str, rows: Sequence[dict], columns: Sequence[str]) -> str:
    """Rows with a name under ``kind`` as a plain table for a terminal."""
    lines = [f"{kind:<16}" + "".join(f"{name:>18}" for name in columns)]
    return "\n".join([*lines, *(f"{row[kind]:<16}" + _cells(row, columns) for row in rows)])


def write_walks(
    folder: Path,
    recording: WalkRecording,
    measured: dict[str, Tensor],
    robot: RobotModel,
    details: dict,
    video: bool | Path = False,
) -> WalkResult:
    """Write ``report.json``, ``per_rollout.csv`` and the median walk as a clip, a page and perhaps a video.

    The files of an earlier report in the folder are removed first.

    Args:
        folder: Folder to write to; it is created.
        recording: The walks.
        measured: Their metrics.
        robot: Facts of the robot.
        details: Provenance; ends up in ``report.json``.
        video: Whether to write a video, or where to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    result = WalkResult(summary(measured), folder, per_mode=mode_rows(measured, recording.modes))
    write_table(folder / "per_rollout.csv", walk_rows(measured, recording.commands))
    content = {"overall": result.overall, "definitions": definitions_of(measured)}
    content |= {"per_mode": result.per_mode} if result.per_mode else {}
    write_json(folder / "report.json", content | details)
    index = median_walk(measured)
    played = walked_clip(recording, index, robot)
    if played is None:
        print("[WARN] The median walk diverged at once: there is nothing to show.")
        return result
    played.save(folder / "played.npz")
    tracks = [Track("policy", robot, played.body_names, played.body_pos_w, played.body_quat_w)]
    title = f"{recording.commands[index]}: median of {len(recording.commands)} walks"
    write_page(folder / "played.html", tracks, played.fps, title)
    if video:
        from whole_body_tracking.viewer.video import write_video

        path = folder / "played.mp4" if video is True else Path(video)
        result.video = write_video(path, tracks, played.fps)
    return result


def report_walks(
    folder: Path,
    recording: WalkRecording,
    robot: RobotModel,
    poses: PoseSet,
    details: dict,
    video: bool | Path = False,
) -> WalkResult:
    """Measure walks and write their report; see :func:`write_walks`."""
    details = details | {"pose_clips": poses.clips}
    return write_walks(folder, recording, measure_walks(recording, robot, poses), robot, details, video)


def _cells(row: dict, columns: Sequence[str]) -> str:
    return "".join(f"{_text(row[name]):>18}" for name in columns)


def _text(value: float | int | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"
