"""Where the robot is and how fast it moves."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.sim2sim.simulation import RobotState

from ..protocol.readings import Readings


class OrientationOnly:
    """The IMU's orientation and rates at a fixed place: enough for a policy that observes no more."""

    def __init__(self, height: float):
        self._pos_w = np.array([0.0, 0.0, height])

    def reset(self) -> None:
        """There is nothing to forget."""

    def update(self, readings: Readings, dt: float) -> None:
        """There is nothing to follow."""

    def state(self, readings: Readings, order: np.ndarray) -> RobotState:
        """The present state in a world whose heading is the IMU's.

        Args:
            readings: The latest ones.
            order: Motor of each of the policy's joints, shape [num_joints].
        """
        return state_of(readings, order, self._pos_w, np.zeros(3))


def state_of(readings: Readings, order: np.ndarray, pos_w: np.ndarray, lin_vel_w: np.ndarray) -> RobotState:
    """A state from readings and an estimate of the rest; joints in the policy's order."""
    return RobotState(
        root_pos_w=pos_w,
        root_quat_w=readings.quat_xyzw,
        root_lin_vel_w=lin_vel_w,
        root_ang_vel_w=Rotation.from_quat(readings.quat_xyzw).apply(readings.gyro),
        joint_pos=readings.joint_pos[order],
        joint_vel=readings.joint_vel[order],
    )
