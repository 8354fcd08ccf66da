"""What the robot's sensors report of a state, and how far off it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from ..protocol.readings import Readings


@dataclass(frozen=True)
class SensorNoise:
    """Standard deviations of white noise and of what stays constant (``bias``); a uniform bias has its half width.

    Gyroscope, orientation and encoders are those of the training's ``rand_imu`` and ``rand_encoder`` presets.
    """

    gyro: float = 0.1
    """[rad/s]"""
    gyro_bias: float = 0.05
    """Uniform within [rad/s]."""
    orientation: float = 0.01
    """[rad]"""
    orientation_bias: float = 0.02
    """[rad]"""
    accelerometer: float = 0.2
    """[m/s^2]"""
    accelerometer_bias: float = 0.05
    """Uniform within [m/s^2]."""
    joint_pos: float = 0.005
    """[rad]"""
    joint_pos_bias: float = 0.02
    """Uniform within [rad]."""
    joint_vel: float = 0.3
    """[rad/s]"""


class NoisySensors:
    """Adds one robot's noise to true readings; biases are drawn once."""

    def __init__(self, noise: SensorNoise, num_joints: int, rng: np.random.Generator):
        self._noise, self._rng = noise, rng
        self._gyro_bias = rng.uniform(-1.0, 1.0, 3) * noise.gyro_bias
        self._accelerometer_bias = rng.uniform(-1.0, 1.0, 3) * noise.accelerometer_bias
        self._orientation_bias = rng.normal(size=3) * noise.orientation_bias
        self._joint_pos_bias = rng.uniform(-1.0, 1.0, num_joints) * noise.joint_pos_bias

    def read(self, truth: Readings) -> Readings:
        """What the sensors report."""
        noise, draw = self._noise, self._rng.normal
        turn = Rotation.from_rotvec(self._orientation_bias + noise.orientation * draw(size=3))
        joints = len(truth.joint_pos)
        return Readings(
            quat_xyzw=(Rotation.from_quat(truth.quat_xyzw) * turn).as_quat(),
            gyro=truth.gyro + self._gyro_bias + noise.gyro * draw(size=3),
            accelerometer=truth.accelerometer + self._accelerometer_bias + noise.accelerometer * draw(size=3),
            joint_pos=truth.joint_pos + self._joint_pos_bias + noise.joint_pos * draw(size=joints),
            joint_vel=truth.joint_vel + noise.joint_vel * draw(size=joints),
            joint_torque=truth.joint_torque,
        )
