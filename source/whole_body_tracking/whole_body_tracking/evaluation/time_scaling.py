"""The same motion, faster or slower."""

from __future__ import annotations

from whole_body_tracking.motion import MotionClip, RawMotion, convert
from whole_body_tracking.robots import get_robot


def time_scaled(clip: MotionClip, speed: float, robot_name: str) -> MotionClip:
    """Play a clip at another speed, at its own frame rate and under its own name.

    Args:
        clip: Clip of the robot.
        speed: How many times faster, positive.
        robot_name: Name of the robot's facts.

    Raises:
        ValueError: If the speed is not positive, or leaves fewer than two frames.
    """
    if not speed > 0.0:
        raise ValueError(f"A motion cannot be played at {speed:g} times its speed. Expected a positive number.")
    root = clip.body_indices(get_robot(robot_name).body_names[:1])[0]
    raw = RawMotion(
        fps=clip.fps * speed,
        root_pos=clip.body_pos_w[:, root].astype("float64"),
        root_quat=clip.body_quat_w[:, root].astype("float64"),
        joint_pos=clip.joint_pos.astype("float64"),
        joint_names=clip.joint_names,
        source=clip.source | {"file": clip.name, "speed": speed},
    )
    return convert(raw, output_fps=clip.fps, robot=robot_name)
