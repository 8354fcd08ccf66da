"""Made-up motions for tests."""

from pathlib import Path

import numpy as np

from whole_body_tracking.motion import RawMotion
from whole_body_tracking.robots import G1


def sway(num_frames: int = 31, fps: float = 30.0) -> RawMotion:
    """A smooth motion in which the robot drifts, turns and moves every joint inside its limits."""
    time = np.arange(num_frames)[:, None] / fps
    middle, half_range = G1.joint_pos_limits.mean(-1), np.ptp(G1.joint_pos_limits, axis=-1) / 2.0
    phase = np.arange(G1.num_joints)
    yaw = 0.5 * time[:, 0]
    quat = np.stack((np.zeros_like(yaw), np.zeros_like(yaw), np.sin(yaw / 2), np.cos(yaw / 2)), axis=-1)
    return RawMotion(
        fps=fps,
        root_pos=np.concatenate((0.3 * time, -0.1 * time, 0.8 + 0.01 * np.sin(time)), axis=-1),
        root_quat=quat,
        joint_pos=middle + 0.3 * half_range * np.sin(time + phase),
        joint_names=G1.joint_names,
    )


def standing(num_frames: int = 51, fps: float = 50.0) -> RawMotion:
    """The default pose at rest, upright, with the root at the default height."""
    quat = np.zeros((num_frames, 4))
    quat[:, 3] = 1.0
    return RawMotion(
        fps=fps,
        root_pos=np.tile((0.0, 0.0, G1.default_root_height), (num_frames, 1)),
        root_quat=quat,
        joint_pos=np.tile(G1.default_joint_pos, (num_frames, 1)),
        joint_names=G1.joint_names,
    )


def write_rows(path: Path, raw: RawMotion, quat_order: str = "xyzw") -> Path:
    """Write a motion as CSV."""
    quat = raw.root_quat if quat_order == "xyzw" else raw.root_quat[:, [3, 0, 1, 2]]
    np.savetxt(path, np.concatenate((raw.root_pos, quat, raw.joint_pos), axis=-1), delimiter=",", fmt="%.9f")
    return path
