"""Write the files of an evaluation: ``report.json``, ``report.html``, ``per_clip.csv``, and what was played."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from whole_body_tracking.evaluation.batches import Rollouts
from whole_body_tracking.evaluation.metrics.definitions import DEFINITIONS
from whole_body_tracking.evaluation.metrics.measure import RolloutMetrics
from whole_body_tracking.evaluation.metrics.ranking import median_rollout, ranked_rollouts
from whole_body_tracking.files import write_json, write_table
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.viewer.page import write_page
from whole_body_tracking.viewer.video import write_video

from .conditions import condition_row
from .html_page import Example, write_html
from .played import played_clip, rollout_tracks

FILE_NAMES = {"median": "played", "worst": "worst"}
"""Names, without ending, of the files that show the median and the worst rollout."""
REPORT_FILES = (
    *("report.json", "per_clip.csv", "random_starts.csv", "report.html"),
    *(f"{name}{ending}" for name in FILE_NAMES.values() for ending in (".npz", ".html", ".mp4")),
)
"""Every file that a report may have."""


@dataclass
class Evaluated:
    """Rollouts with their clips, robot and rewards."""

    rollouts: Rollouts
    clips: list[MotionClip]
    robot: RobotModel
    joint_names: list[str]
    """Joints in the order of the recordings."""
    rewards: object
    """Tracking terms of the task."""
    random_starts: Rollouts | None = None
    """Rollouts that started at random frames, which are reported beside the others."""


def write_report(
    folder: Path, evaluated: Evaluated, details: dict, video: bool = False, video_length: int | None = None
) -> dict:
    """Write every file of a report and return the content of ``report.json``.

    The files of an earlier report in the folder are removed first, so that two reports never mix. The numbers are
    written before the pages, which take longer.

    Args:
        folder: Folder to write to; it is created.
        evaluated: Rollouts to report.
        details: Provenance of the evaluation; ends up in ``report.json`` and the page.
        video: Whether to write videos of the median and the worst rollout.
        video_length: Steps that they show; None shows whole rollouts.
    """
    content = report_content(evaluated) | details
    folder.mkdir(parents=True, exist_ok=True)
    for name in REPORT_FILES:
        (folder / name).unlink(missing_ok=True)
    write_table(folder / "per_clip.csv", content["per_clip"])
    if evaluated.random_starts is not None:
        write_table(folder / "random_starts.csv", per_rollout_rows(evaluated.random_starts, evaluated.clips))
    write_json(folder / "report.json", content)
    steps, measured = (video_length or sys.maxsize) if video else 0, evaluated.rollouts.measured
    chosen = {"median": median_rollout(measured), "worst": ranked_rollouts(measured)[0]}
    examples = [_example(folder / FILE_NAMES[title], evaluated, title, index, steps) for title, index in chosen.items()]
    write_html(folder / "report.html", content, examples, evaluated.rewards, evaluated.robot)
    return content


def report_content(evaluated: Evaluated) -> dict:
    """Numbers overall and per clip with their definitions, and if there are random starts a row for either kind."""
    rollouts, random = evaluated.rollouts, evaluated.random_starts
    content = {
        "overall": rollouts.measured.mean() | {"num_rollouts": len(rollouts.recordings)},
        "per_clip": per_clip_rows(rollouts.measured, rollouts.clip_ids, tuple(clip.name for clip in evaluated.clips)),
        "definitions": DEFINITIONS,
    }
    if random is not None:
        kinds = {"frame 0": rollouts, "random frames": random}
        content["starts"] = [condition_row("start", name, played) for name, played in kinds.items()]
    return content


def _example(path: Path, evaluated: Evaluated, title: str, index: int, video_steps: int) -> Example:
    """Write one rollout as a clip, as a page and, if it has any steps to show, as a video: ``path`` without suffix."""
    recording = evaluated.rollouts.recordings[index]
    clip, num_finite = evaluated.clips[int(recording.clip_ids[0])], recording.num_finite_steps(0)
    heading = f"{clip.name}: {title} of {len(evaluated.rollouts.recordings)} rollouts"
    if num_finite < len(recording.joint_pos):
        heading += f", diverged in step {num_finite + 1}"
    played = played_clip(recording, 0, evaluated.robot.name, evaluated.joint_names)
    if played is None:
        return Example(heading)
    played.save(path.with_suffix(".npz"))
    tracks = rollout_tracks(played, clip, evaluated.robot.name)
    page = write_page(path.with_suffix(".html"), tracks, fps=played.fps, title=heading)
    video = None
    if video_steps:
        shown = [track.until(video_steps) for track in tracks]
        video = write_video(path.with_suffix(".mp4"), shown, played.fps).name
    return Example(heading, page.name, recording.rollout(0, num_finite), evaluated.joint_names, video)


def per_clip_rows(measured: RolloutMetrics, clip_ids: torch.Tensor, names: tuple[str, ...]) -> list[dict]:
    """Mean of every metric for each clip, with its name and number of rollouts."""
    return [
        {"name": name, "num_rollouts": int((clip_ids == clip).sum())} | measured.select(clip_ids == clip).mean()
        for clip, name in enumerate(names)
    ]


def per_rollout_rows(rollouts: Rollouts, clips: Sequence[MotionClip]) -> list[dict]:
    """Every metric of each rollout, with its clip and where in it the rollout started [s]."""
    return [
        {"clip": clips[int(recording.clip_ids[0])].name, "start_s": round(int(frame) * recording.step_dt, 6)}
        | rollouts.measured.select([index]).mean()
        for index, (recording, frame) in enumerate(zip(rollouts.recordings, rollouts.start_frames, strict=True))
    ]
