"""Where the robot is and how fast it moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.sim2sim.simulation import RobotState

from ..protocol.readings import Readings
from .pose import Body


class LegHeight:
    """The IMU's orientation over the lower foot: enough for a policy that observes neither position nor velocity.

    The robot stays where it is horizontally; its height is that of the root over the sole of the lower foot.
    """

    def __init__(self, body: Body):
        """Take the forward kinematics that say how high the root is."""
        self._body = body

    def update(self, readings: Readings, dt: float) -> None:
        """There is nothing to follow from one state to the next."""

    def state(self, readings: Readings, order: np.ndarray) -> RobotState:
        """The present state in a world whose heading is the IMU's; the velocity is zero.

        Args:
            readings: The latest ones.
            order: Motor of each of the policy's joints, shape [num_joints].
        """
        state = state_of(readings, order, np.zeros(3), np.zeros(3))
        return replace(state, root_pos_w=np.array([0.0, 0.0, self._body.height_over_ground(state)]))


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
