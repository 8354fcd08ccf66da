"""Byte layout of ``unitree_hg`` messages: the memory of Unitree's C structs, over which their checksum runs.

A message is a numpy structured array of shape [] with one of these types; fields have their natural alignment, as in C.
"""

from __future__ import annotations

import numpy as np

NUM_SLOTS = 35
"""Motors that a message has room for."""

MOTOR_COMMAND = np.dtype(
    [
        ("mode", "<u1"),
        ("q", "<f4"),
        ("dq", "<f4"),
        ("tau", "<f4"),
        ("kp", "<f4"),
        ("kd", "<f4"),
        ("reserve", "<u4"),
    ],
    align=True,
)
"""``MotorCmd_``: whether it is enabled, target [rad], [rad/s], feed-forward [N m], gains [N m/rad], [N m s/rad]."""

LOW_COMMAND = np.dtype(
    [
        ("mode_pr", "<u1"),
        ("mode_machine", "<u1"),
        ("motor_cmd", MOTOR_COMMAND, (NUM_SLOTS,)),
        ("reserve", "<u4", (4,)),
        ("crc", "<u4"),
    ],
    align=True,
)
"""``LowCmd_``, 1004 bytes."""

IMU_STATE = np.dtype(
    [
        ("quaternion", "<f4", (4,)),
        ("gyroscope", "<f4", (3,)),
        ("accelerometer", "<f4", (3,)),
        ("rpy", "<f4", (3,)),
        ("temperature", "<i2"),
    ],
    align=True,
)
"""``IMUState_``: orientation (w, x, y, z), angular velocity [rad/s] and specific force [m/s^2] in the pelvis frame."""

MOTOR_STATE = np.dtype(
    [
        ("mode", "<u1"),
        ("q", "<f4"),
        ("dq", "<f4"),
        ("ddq", "<f4"),
        ("tau_est", "<f4"),
        ("temperature", "<i2", (2,)),
        ("vol", "<f4"),
        ("sensor", "<u4", (2,)),
        ("motorstate", "<u4"),
        ("reserve", "<u4", (4,)),
    ],
    align=True,
)
"""``MotorState_``: position [rad], velocity [rad/s], acceleration [rad/s^2], torque [N m], temperatures [deg C]."""

LOW_STATE = np.dtype(
    [
        ("version", "<u4", (2,)),
        ("mode_pr", "<u1"),
        ("mode_machine", "<u1"),
        ("tick", "<u4"),
        ("imu_state", IMU_STATE),
        ("motor_state", MOTOR_STATE, (NUM_SLOTS,)),
        ("wireless_remote", "<u1", (40,)),
        ("reserve", "<u4", (4,)),
        ("crc", "<u4"),
    ],
    align=True,
)
"""``LowState_``, 2092 bytes; ``tick`` is the robot's clock [ms]."""

MODE_PR = 0
"""Ankles and waist are driven by pitch and roll, not by their parallel motors A and B."""

MODE_MACHINE = 5
"""The 29-joint G1, revision 1.0: the robot that the facts describe."""

MOTOR_ENABLED = 1


def new_message(dtype: np.dtype) -> np.ndarray:
    """A message whose bytes are all zero, padding included, shape []."""
    return np.zeros((), dtype)
