"""Where the robot is in the world of its reference. An IMU's heading and a filter's position begin anywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.robots.mujoco_simulation import RobotState

UP = np.array([0.0, 0.0, 1.0])


class Alignment:
    """A turn about the vertical and a horizontal shift, from the estimator's world into the reference's."""

    def __init__(self):
        self._turn = Rotation.identity()
        self._shift = np.zeros(3)

    def align(self, pos_w: np.ndarray, quat_w: np.ndarray, target_pos_w: np.ndarray, target_quat_w: np.ndarray) -> None:
        """Choose turn and shift so that one pose gets another's heading and horizontal position; heights stay.

        Args:
            pos_w: Where the anchor is estimated to be [m], shape [3].
            quat_w: Its orientation (x, y, z, w), shape [4].
            target_pos_w: Where the reference's anchor is [m], shape [3].
            target_quat_w: Its orientation, shape [4].
        """
        between = (Rotation.from_quat(target_quat_w) * Rotation.from_quat(quat_w).inv()).as_quat()
        self._turn = _twist(between)
        self._shift = (target_pos_w - self._turn.apply(pos_w)) * (1.0, 1.0, 0.0)

    def turn_reference(self, angle: float, pos_w: np.ndarray) -> None:
        """Turn the reference to the left about a point: the robot then appears to be turned to the right.

        Args:
            angle: How much [rad].
            pos_w: The point in the reference's world [m], shape [3].
        """
        right = Rotation.from_rotvec(-angle * UP)
        self._turn = right * self._turn
        self._shift = right.apply(self._shift - pos_w) + pos_w

    def apply(self, state: RobotState) -> RobotState:
        """The state in the reference's world."""
        return replace(
            state,
            root_pos_w=self._turn.apply(state.root_pos_w) + self._shift,
            root_quat_w=(self._turn * Rotation.from_quat(state.root_quat_w)).as_quat(),
            root_lin_vel_w=self._turn.apply(state.root_lin_vel_w),
            root_ang_vel_w=self._turn.apply(state.root_ang_vel_w),
        )


def _twist(quat_xyzw: np.ndarray) -> Rotation:
    """The turn about the vertical in a rotation; none where it has no vertical part."""
    twist = quat_xyzw * (0.0, 0.0, 1.0, 1.0)
    return Rotation.from_quat(twist) if np.linalg.norm(twist) > 1e-6 else Rotation.identity()
