"""The same motion, faster or slower."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from whole_body_tracking.robots import get_robot

from ..channels import at_other_speed, report_dropped
from ..clip import MotionClip
from ..clip_header import ClipHeader
from .convert import convert
from .readers import RawMotion
from .resample import num_resampled_frames


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
    return [at_speed(clip, speed, robot_name) for clip in clips for speed in speeds]


def at_speed(clip: MotionClip, speed: float, robot_name: str) -> MotionClip:
    """A clip at a speed, called ``<name>-x<speed>``; at speed 1 the clip itself.

    Raises:
        ValueError: If the speed is not positive, or leaves fewer than two frames.
    """
    if speed == 1.0:
        return clip
    return dataclasses.replace(time_scaled(clip, speed, robot_name), name=_name_at(clip.name, speed))


def header_at_speed(header: ClipHeader, speed: float) -> ClipHeader:
    """Header of what :func:`at_speed` gives.

    Raises:
        ValueError: If the speed leaves fewer than two frames.
    """
    if speed == 1.0:
        return header
    num_frames = num_resampled_frames(header.num_frames, header.fps * speed, header.fps)
    if num_frames < 2:
        raise ValueError(f"{header.name} has {num_frames} frame at {speed:g} times its speed, expected at least 2.")
    declared = {k: c for k, c in header.channel_declarations.items() if c.any_speed and c.interpolation != "none"}
    name = _name_at(header.name, speed)
    return dataclasses.replace(header, num_frames=num_frames, name=name, channel_declarations=declared)


def _name_at(name: str, speed: float) -> str:
    return f"{name}-x{speed:g}"
