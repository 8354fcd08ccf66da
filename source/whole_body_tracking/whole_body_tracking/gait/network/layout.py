"""What the network predicts, by name, and the way from and to motions.

A frame is told relative to the *heading frame*: on the ground below the root, its x axis along the path's heading.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.robots import RobotModel

ROOT_OUTPUTS = (
    "root_height",
    *(f"root_rotation_{axis}_{part}" for axis in "xy" for part in "xyz"),
    "forward_velocity",
    "lateral_velocity",
    "turn_rate",
)
"""Height [m], x and y axis of the root in the heading frame, velocity of the root in it [m/s], turn of it [rad/s]."""
NUM_ROOT = len(ROOT_OUTPUTS)


def output_names(robot: RobotModel) -> list[str]:
    """Names of the outputs: those of the root, then the joints [rad]."""
    return [*ROOT_OUTPUTS, *robot.joint_names]


@dataclass(frozen=True)
class RootMotion:
    """Root and joints of a motion."""

    pos: np.ndarray
    """[m], shape [num_frames, 3]."""
    quat: np.ndarray
    """(x, y, z, w), shape [num_frames, 4]."""
    joint_pos: np.ndarray
    """[rad], shape [num_frames, num_joints]."""


def encode(motion: RootMotion, heading: np.ndarray, fps: float) -> np.ndarray:
    """Outputs that describe a motion, shape [num_frames, num_outputs].

    Args:
        motion: Root and joints.
        heading: Of the path [rad], shape [num_frames].
        fps: Frames per second.
    """
    axes = (Rotation.from_euler("z", -heading[:, None]) * Rotation.from_quat(motion.quat)).as_matrix()[:, :, :2]
    velocity = np.gradient(motion.pos[:, :2], 1.0 / fps, axis=0, edge_order=2)
    cos, sin = np.cos(heading), np.sin(heading)
    root = (
        motion.pos[:, 2:],
        axes.transpose(0, 2, 1).reshape(-1, 6),
        (cos * velocity[:, 0] + sin * velocity[:, 1])[:, None],
        (cos * velocity[:, 1] - sin * velocity[:, 0])[:, None],
        np.gradient(heading, 1.0 / fps)[:, None],
    )
    return np.concatenate((*root, motion.joint_pos), axis=-1)


def decode(outputs: np.ndarray, fps: float) -> RootMotion:
    """The motion of outputs [num_frames, num_outputs]: velocities integrated from the origin along x."""
    height, axes = outputs[:, 0], outputs[:, 1:7].reshape(-1, 2, 3)
    forward, lateral, turn = outputs[:, 7:NUM_ROOT].T
    heading = _integral(turn, fps)
    cos, sin = np.cos(heading), np.sin(heading)
    x, y = (_integral(v, fps) for v in (forward * cos - lateral * sin, forward * sin + lateral * cos))
    quat = (Rotation.from_euler("z", heading[:, None]) * Rotation.from_matrix(_orthonormal(axes))).as_quat()
    return RootMotion(np.stack((x, y, height), -1), quat, outputs[:, NUM_ROOT:])


def _integral(rate: np.ndarray, fps: float) -> np.ndarray:
    return np.concatenate(([0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1])) / fps))


def _orthonormal(axes: np.ndarray) -> np.ndarray:
    """Rotation matrices whose first column is along the first axis and whose second is in the plane of both."""
    x = axes[:, 0] / np.linalg.norm(axes[:, 0], axis=-1, keepdims=True)
    y = axes[:, 1] - (axes[:, 1] * x).sum(-1, keepdims=True) * x
    y /= np.linalg.norm(y, axis=-1, keepdims=True)
    return np.stack((x, y, np.cross(x, y)), axis=-1)
