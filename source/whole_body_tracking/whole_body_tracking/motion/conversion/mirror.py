"""The mirror image of a motion: left becomes right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from whole_body_tracking.robots import get_robot
from whole_body_tracking.robots.symmetry import mirrored_indices, mirrored_joints

from ..channels import report_dropped
from ..clip import MotionClip

VECTOR = np.array([1.0, -1.0, 1.0])
"""Signs of a mirrored position or velocity."""
AXIAL = np.array([-1.0, 1.0, -1.0])
"""Signs of a mirrored angular velocity."""
QUATERNION = np.array([-1.0, 1.0, -1.0, 1.0])
"""Signs of a mirrored quaternion (x, y, z, w)."""


def mirrored(clip: MotionClip, robot_name: str) -> MotionClip:
    """Mirror a clip in the world's plane of x and z, under its own name.

    Channels that run over joints are mirrored as joint positions are, except feedback gains, which are dropped like
    every other channel whose mirror image is not known, with a log message.

    Args:
        clip: Clip of the robot.
        robot_name: Name of the robot's facts.

    Raises:
        ValueError: If the robot is not symmetric, or the clip lacks a joint's or body's counterpart.
    """
    joints = mirrored_joints(get_robot(robot_name), clip.joint_names)
    bodies = mirrored_indices(clip.body_names)
    kept = {name: v for name, v in clip.channels.items() if _has_mirror_image(clip, name)}
    report_dropped(clip.name, "channels", clip.channels.keys() - kept.keys(), "the motion is mirrored")
    report_dropped(clip.name, "unknown arrays", clip.extras.keys(), "the motion is mirrored")
    per_joint = {name for name in kept if clip.channel_declarations[name].per_joint}
    return replace(
        clip,
        joint_pos=clip.joint_pos[:, joints.indices] * joints.signs,
        joint_vel=clip.joint_vel[:, joints.indices] * joints.signs,
        body_pos_w=clip.body_pos_w[:, bodies] * VECTOR,
        body_quat_w=clip.body_quat_w[:, bodies] * QUATERNION,
        body_lin_vel_w=clip.body_lin_vel_w[:, bodies] * VECTOR,
        body_ang_vel_w=clip.body_ang_vel_w[:, bodies] * AXIAL,
        source=clip.source | {"mirrored": not clip.source.get("mirrored", False)},
        channels={n: v[:, joints.indices] * joints.signs if n in per_joint else v for n, v in kept.items()},
        channel_declarations={name: clip.channel_declarations[name] for name in kept},
        extras={},
    )


def _has_mirror_image(clip: MotionClip, name: str) -> bool:
    """Whether a channel is a number for each frame, or an angle for each joint."""
    values, channel = clip.channels[name], clip.channel_declarations[name]
    return values.ndim == 1 or (channel.per_joint and values.ndim == 2)
