"""Files of an evaluation: ``report.json``, ``per_clip.csv``, the played motion as a clip, and a page of it."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import torch

from whole_body_tracking.motion import MotionClip, RawMotion, convert
from whole_body_tracking.robots import get_robot
from whole_body_tracking.viewer.page import write_page
from whole_body_tracking.viewer.tracks import Track

from .rollout import Recording
from .summary import RolloutMetrics


def write_json(path: Path, content: dict) -> None:
    """Write JSON under a temporary name, then rename it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    partial.write_text(json.dumps(content, indent=2) + "\n")
    os.replace(partial, path)


def write_table(path: Path, rows: list[dict]) -> None:
    """Write rows with the same keys as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def median_rollout(measured: RolloutMetrics) -> int:
    """Index of the rollout in the middle: by completion, then by position error."""
    completion, error = measured.values["completion"].tolist(), measured.values["mpkpe"].tolist()
    order = sorted(range(len(completion)), key=lambda index: (completion[index], -error[index]))
    return order[len(order) // 2]


def played_clip(recording: Recording, index: int, robot_name: str, joint_names: list[str]) -> MotionClip:
    """What one rollout did, as a clip of its own.

    Args:
        recording: Trajectories.
        index: Rollout to take.
        robot_name: Name of the robot's facts.
        joint_names: Order of the recording's joints.
    """
    root = recording.body_names.index(get_robot(robot_name).body_names[0])
    steps = slice(0, int(recording.num_steps[index]))
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
    """Write an offline page in which a rollout and its reference move; step t shows the reference's frame t + 1."""
    robot = get_robot(robot_name)
    frames = slice(1, 1 + played.num_frames)
    tracks = [
        Track("policy", robot, played.body_names, played.body_pos_w, played.body_quat_w),
        Track(
            "reference", robot, reference.body_names, reference.body_pos_w[frames], reference.body_quat_w[frames], True
        ),
    ]
    return write_page(path, tracks, fps=played.fps, title=title)


def per_clip_rows(measured: RolloutMetrics, clip_ids: torch.Tensor, names: tuple[str, ...]) -> list[dict]:
    """Mean of every metric for each clip, with its name and number of rollouts."""
    return [
        {"name": name, "num_rollouts": int((clip_ids == clip).sum())} | measured.select(clip_ids == clip).mean()
        for clip, name in enumerate(names)
    ]
