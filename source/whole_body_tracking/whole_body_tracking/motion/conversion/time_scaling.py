"""The same motion, faster or slower."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from whole_body_tracking.robots import get_robot

from ..channels import at_other_speed, report_dropped
from ..clip import MotionClip
from .convert import convert
from .readers import RawMotion


def time_scaled(clip: MotionClip, speed: float, robot_name: str) -> MotionClip:
    """Play a clip at another speed, at its own frame rate and under its own name.

    Channels that do not hold at another speed, such as ``joint_target``, are dropped with a log message.

    Args:
        clip: Clip of the robot.
        speed: How many times faster, positive.
        robot_name: Name of the robot's facts.

    Raises:
        ValueError: If the speed is not positive, or leaves fewer than two frames.
    """
    if not speed > 0.0:
        raise ValueError(f"A motion cannot be played at {speed:g} times its speed. Expected a positive number.")
    report_dropped(clip.name, "unknown arrays", clip.extras.keys(), "its speed changes")
    root = clip.body_indices(get_robot(robot_name).body_names[:1])[0]
    declared = clip.channel_declarations
    raw = RawMotion(
        fps=clip.fps * speed,
        root_pos=clip.body_pos_w[:, root].astype("float64"),
        root_quat=clip.body_quat_w[:, root].astype("float64"),
        joint_pos=clip.joint_pos.astype("float64"),
        joint_names=clip.joint_names,
        source=clip.source | {"file": clip.name, "speed": speed},
        channels=clip.channels if speed == 1.0 else at_other_speed(clip.channels, declared, clip.name),
        channel_declarations=declared,
    )
    return convert(raw, output_fps=clip.fps, robot=robot_name)


def at_speeds(clips: Sequence[MotionClip], speeds: Sequence[float], robot_name: str) -> list[MotionClip]:
    """Every clip at every speed, as clips of their own that are called ``<name>-x<speed>``.

    Speed 1 is the clip itself under its own name. All speeds of the first clip come first.

    Args:
        clips: Clips of the robot.
        speeds: How many times faster each copy is, positive.
        robot_name: Name of the robot's facts.

    Raises:
        ValueError: If a speed is not positive, occurs twice, or leaves fewer than two frames.
    """
    if len(set(speeds)) != len(speeds):
        raise ValueError(f"Every speed of a motion counts once, found {list(speeds)}.")
    return [_at_speed(clip, speed, robot_name) for clip in clips for speed in speeds]


def _at_speed(clip: MotionClip, speed: float, robot_name: str) -> MotionClip:
    if speed == 1.0:
        return clip
    return dataclasses.replace(time_scaled(clip, speed, robot_name), name=f"{clip.name}-x{speed:g}")
