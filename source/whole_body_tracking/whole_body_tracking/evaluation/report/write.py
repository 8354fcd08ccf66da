"""Files of an evaluation: ``report.json``, ``report.html``, ``per_clip.csv``, and what was played."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from whole_body_tracking.evaluation.batches import Rollouts
from whole_body_tracking.evaluation.metrics.definitions import DEFINITIONS
from whole_body_tracking.evaluation.metrics.measure import RolloutMetrics
from whole_body_tracking.files import write_json, write_table
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.viewer.page import write_page
from whole_body_tracking.viewer.video import write_video

from .html_page import Example, write_html
from .played import played_clip, rollout_tracks


@dataclass
class Evaluated:
    """Rollouts and what one needs to write about them."""

    rollouts: Rollouts
    clips: list[MotionClip]
    robot: RobotModel
    joint_names: list[str]
    """Joints in the order of the recordings."""
    rewards: object
    """Tracking terms of the task."""


def write_report(
    folder: Path, evaluated: Evaluated, details: dict, video: bool = False, video_length: int | None = None
) -> tuple[dict[str, float], list[dict]]:
    """Write every file of a report and return the numbers overall and per clip.

    Args:
        folder: Folder to write to; it is created.
        evaluated: What was played.
        details: What the evaluation was made with; ends up in ``report.json`` and the page.
        video: Whether to write videos of the median and the worst rollout.
        video_length: Steps that they show; None shows whole rollouts.
    """
    rollouts, names = evaluated.rollouts, tuple(clip.name for clip in evaluated.clips)
    overall = rollouts.measured.mean() | {"num_rollouts": len(rollouts.recordings)}
    per_clip = per_clip_rows(rollouts.measured, rollouts.clip_ids, names)
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "per_clip.csv", per_clip)
    write_json(folder / "report.json", {"overall": overall, "per_clip": per_clip, "definitions": DEFINITIONS} | details)
    order = ranked_rollouts(rollouts.measured)
    chosen = {"median": order[len(order) // 2], "worst": order[0]}
    names = {"median": "played", "worst": "worst"}
    steps = (video_length or sys.maxsize) if video else 0
    examples = [_example(folder / names[title], evaluated, title, index, steps) for title, index in chosen.items()]
    write_html(folder / "report.html", overall, per_clip, details, examples, evaluated.rewards, evaluated.robot)
    return overall, per_clip


def _example(path: Path, evaluated: Evaluated, title: str, index: int, video_steps: int) -> Example:
    """Write one rollout as a clip, as a page and, if it has any steps to show, as a video: ``path`` without suffix."""
    recording = evaluated.rollouts.recordings[index]
    clip = evaluated.clips[int(recording.clip_ids[0])]
    played = played_clip(recording, 0, evaluated.robot.name, evaluated.joint_names)
    played.save(path.with_suffix(".npz"))
    heading = f"{clip.name}: {title} of {len(evaluated.rollouts.recordings)} rollouts"
    tracks = rollout_tracks(played, clip, evaluated.robot.name)
    page = write_page(path.with_suffix(".html"), tracks, fps=played.fps, title=heading)
    video = None
    if video_steps:
        shown = [track.until(video_steps) for track in tracks]
        video = write_video(path.with_suffix(".mp4"), shown, played.fps).name
    return Example(heading, page.name, recording, evaluated.joint_names, video)


def ranked_rollouts(measured: RolloutMetrics) -> list[int]:
    """Indices of the rollouts, the worst first: by completion, then by position error."""
    completion, error = measured.values["completion"].tolist(), measured.values["mpkpe"].nan_to_num(torch.inf).tolist()
    return sorted(range(len(completion)), key=lambda index: (completion[index], -error[index]))


def median_rollout(measured: RolloutMetrics) -> int:
    """Index of the rollout in the middle of :func:`ranked_rollouts`."""
    order = ranked_rollouts(measured)
    return order[len(order) // 2]


def per_clip_rows(measured: RolloutMetrics, clip_ids: torch.Tensor, names: tuple[str, ...]) -> list[dict]:
    """Mean of every metric for each clip, with its name and number of rollouts."""
    return [
        {"name": name, "num_rollouts": int((clip_ids == clip).sum())} | measured.select(clip_ids == clip).mean()
        for clip, name in enumerate(names)
    ]
