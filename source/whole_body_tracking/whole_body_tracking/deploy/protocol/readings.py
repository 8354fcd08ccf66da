"""What a state message says, in the package's conventions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

XYZW = np.array([1, 2, 3, 0])
"""Where the elements of an (x, y, z, w) quaternion are in a (w, x, y, z) one."""
WXYZ = np.array([3, 0, 1, 2])
"""The other way."""


@dataclass
class Readings:
    """One instant of all sensors; joints in the order of the motors."""

    quat_xyzw: np.ndarray
    """Orientation of the pelvis, shape [4]."""
    gyro: np.ndarray
    """Its angular velocity in its own frame [rad/s], shape [3]."""
    accelerometer: np.ndarray
    """Its specific force in its own frame [m/s^2], shape [3]: (0, 0, 9.81) at rest."""
    joint_pos: np.ndarray
    """[rad], shape [num_joints]."""
    joint_vel: np.ndarray
    """[rad/s], shape [num_joints]."""
    joint_torque: np.ndarray
    """[N m], shape [num_joints]."""


def readings_of(message: np.ndarray, num_joints: int) -> Readings:
    """The readings in a state message.

    Args:
        message: Of type :data:`~.layout.LOW_STATE`.
        num_joints: Motors of the robot, from the first slot on.
    """
    imu, motors = message["imu_state"], message["motor_state"][:num_joints]
    return Readings(
        quat_xyzw=imu["quaternion"].astype(np.float64)[XYZW],
        gyro=imu["gyroscope"].astype(np.float64),
        accelerometer=imu["accelerometer"].astype(np.float64),
        joint_pos=motors["q"].astype(np.float64),
        joint_vel=motors["dq"].astype(np.float64),
        joint_torque=motors["tau_est"].astype(np.float64),
    )
