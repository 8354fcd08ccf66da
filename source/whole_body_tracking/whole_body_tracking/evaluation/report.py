"""Files of an evaluation: ``report.json``, ``report.html``, ``per_clip.csv``, and what was played."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from whole_body_tracking.motion import MotionClip, RawMotion, convert
from whole_body_tracking.robots import RobotModel, get_robot
from whole_body_tracking.viewer.page import write_page
from whole_body_tracking.viewer.tracks import Track
from whole_body_tracking.viewer.video import write_video

from .files import write_json, write_table
from .html_report import Example, write_html
from .metrics.definitions import DEFINITIONS
from .metrics.measure import RolloutMetrics
from .recording import Recording
from .running import Rollouts


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


def played_clip(recording: Recording, index: int, robot_name: str, joint_names: list[str]) -> MotionClip:
    """What one rollout did while its state was finite, as a clip of its own.

    Args:
        recording: Trajectories.
        index: Rollout to take.
        robot_name: Name of the robot's facts.
        joint_names: Order of the recording's joints.
    """
    root = recording.body_names.index(get_robot(robot_name).body_names[0])
    finite = torch.isfinite(recording.robot.pos_w[:, index]).flatten(1).all(-1).cumprod(0).sum()
    steps = slice(0, max(2, min(int(recording.num_steps[index]), int(finite))))
    take = lambda values: values[steps, index].double().cpu().numpy()  # noqa: E731
    quat = take(recording.robot.quat_w)[:, root]
    raw = RawMotion(
        fps=1.0 / recording.step_dt,
        root_pos=take(recording.robot.pos_w)[:, root],
        root_quat=quat / np.linalg.norm(quat, axis=-1, keepdims=True),
        joint_pos=take(recording.joint_pos),
        joint_names=tuple(joint_names),
        source={"played": True},
    )
    return convert(raw, output_fps=raw.fps, robot=robot_name)


def write_rollout_page(path: Path, played: MotionClip, reference: MotionClip, robot_name: str, title: str) -> Path:
    """Write an offline page in which a rollout and its reference move."""
    return write_page(path, rollout_tracks(played, reference, robot_name), fps=played.fps, title=title)


def rollout_tracks(played: MotionClip, reference: MotionClip, robot_name: str) -> list[Track]:
    """A rollout, and its reference as a ghost; step t is shown with the reference's frame t + 1."""
    robot, frames = get_robot(robot_name), slice(1, 1 + played.num_frames)
    pos, quat = reference.body_pos_w[frames], reference.body_quat_w[frames]
    return [
        Track("policy", robot, played.body_names, played.body_pos_w, played.body_quat_w),
        Track("reference", robot, reference.body_names, pos, quat, ghost=True),
    ]


def per_clip_rows(measured: RolloutMetrics, clip_ids: torch.Tensor, names: tuple[str, ...]) -> list[dict]:
    """Mean of every metric for each clip, with its name and number of rollouts."""
    return [
        {"name": name, "num_rollouts": int((clip_ids == clip).sum())} | measured.select(clip_ids == clip).mean()
        for clip, name in enumerate(names)
    ]
