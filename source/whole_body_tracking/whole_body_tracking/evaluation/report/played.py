"""A rollout as a clip, as tracks to draw and as a page."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from whole_body_tracking.evaluation.recording import Recording
from whole_body_tracking.motion import MotionClip, RawMotion, convert
from whole_body_tracking.robots import get_robot
from whole_body_tracking.viewer.page import write_page
from whole_body_tracking.viewer.tracks import Track


def played_clip(recording: Recording, index: int, robot_name: str, joint_names: list[str]) -> MotionClip | None:
    """The states of one rollout until it diverged, as a clip; None if those are fewer than two.

    Args:
        recording: Trajectories.
        index: Rollout to take.
        robot_name: Name of the robot's facts.
        joint_names: Order of the recording's joints.
    """
    root, steps = recording.body_names.index(get_robot(robot_name).body_names[0]), recording.num_finite_steps(index)
    if steps < 2:
        return None
    take = lambda values: values[:steps, index].double().cpu().numpy()  # noqa: E731
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
