"""An error-state Kalman filter of the root: inertial prediction, and feet that stay where they stand.

After Bloesch et al., "State Estimation for Legged Robots" (RSS 2012), with errors in the world frame. The nominal state
is (p, v, R, b_a, b_w, f_left, f_right): position, velocity and orientation of the root, biases of accelerometer and
gyroscope, and where the feet are. The error state has three numbers for each, 21 in all. What corrects it:

- a foot that carries weight: forward kinematics say where it is relative to the root, R^T (f - p), and how fast the
  root moves over it; its own position drifts slowly while it stands, and is free while it does not. A foot's position
  is that of the point of its sole on the ground, which goes along the sole while the foot rolls;
- its height: it stands on a ground that is level;
- the IMU's own orientation, whose heading is the world's.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

GRAVITY_W = np.array([0.0, 0.0, -9.81])

POS, VEL, ORI, ACC_BIAS, GYRO_BIAS = (slice(3 * block, 3 * block + 3) for block in range(5))
FOOT = (slice(15, 18), slice(18, 21))
SIZE = 21

ACCELEROMETER_NOISE = 0.3
"""Standard deviation of one reading [m/s^2]."""
GYRO_NOISE = 0.1
"""[rad/s]"""
BIAS_WALK = (0.01, 0.002)
"""Of accelerometer and gyroscope bias [m/s^2/sqrt(s)], [rad/s/sqrt(s)]."""
FOOT_WALK = (0.005, 10.0)
"""Of a foot that stands, and of one that does not [m/sqrt(s)]."""
KINEMATICS_NOISE = 0.01
"""Of a foot's position in the root's frame [m]."""
HEIGHT_NOISE = 0.01
"""Of the ground [m]."""
VELOCITY_NOISE = 0.15
"""Of the root's velocity over a foot that stands, from joint velocities [m/s]."""
GATE = 3.0
"""Standard deviations by which the velocity over a foot that stands may be off."""
ORIENTATION_NOISE = 0.05
"""Of the IMU's orientation: its error lasts for many readings, so that it counts for less than one [rad]."""


class RootFilter:
    """The filter; all arrays are in the world frame unless their names say otherwise."""

    def __init__(self, pos_w: np.ndarray, quat_xyzw: np.ndarray, feet_w: np.ndarray):
        """Start at rest.

        Args:
            pos_w: Position of the root [m], shape [3].
            quat_xyzw: Its orientation, shape [4].
            feet_w: Positions of left and right foot [m], shape [2, 3].
        """
        self.pos_w, self.lin_vel_w = pos_w.astype(np.float64), np.zeros(3)
        self.rotation = Rotation.from_quat(quat_xyzw)
        self.acc_bias, self.gyro_bias = np.zeros(3), np.zeros(3)
        self.feet_w = feet_w.astype(np.float64)
        spread = np.repeat([0.001, 0.05, 0.02, 0.05, 0.03, 0.01, 0.01], 3)
        self.covariance = np.diag(spread**2)

    def predict(self, accelerometer: np.ndarray, gyro: np.ndarray, stands: tuple[bool, bool], dt: float) -> None:
        """Follow one pair of inertial readings.

        Args:
            accelerometer: Specific force in the root's frame [m/s^2], shape [3].
            gyro: Angular velocity in the root's frame [rad/s], shape [3].
            stands: Whether left and right foot stand.
            dt: Time since the last call [s].
        """
        matrix = self.rotation.as_matrix()
        force_w = matrix @ (accelerometer - self.acc_bias)
        acceleration = force_w + GRAVITY_W
        self.pos_w += dt * self.lin_vel_w + 0.5 * dt**2 * acceleration
        self.lin_vel_w += dt * acceleration
        self.rotation = self.rotation * Rotation.from_rotvec(dt * (gyro - self.gyro_bias))
        step = np.eye(SIZE)
        step[POS, VEL] = dt * np.eye(3)
        step[VEL, ORI], step[VEL, ACC_BIAS] = -dt * _skew(force_w), -dt * matrix
        step[ORI, GYRO_BIAS] = -dt * matrix
        noise = np.zeros(SIZE)
        noise[VEL] = (ACCELEROMETER_NOISE * dt) ** 2
        noise[ORI] = (GYRO_NOISE * dt) ** 2
        noise[ACC_BIAS], noise[GYRO_BIAS] = BIAS_WALK[0] ** 2 * dt, BIAS_WALK[1] ** 2 * dt
        for place, standing in zip(FOOT, stands, strict=True):
            noise[place] = FOOT_WALK[0 if standing else 1] ** 2 * dt
        self.covariance = step @ self.covariance @ step.T
        self.covariance[np.diag_indices(SIZE)] += noise

    def correct_foot(self, foot: int, offset_b: np.ndarray) -> None:
        """Use where a foot that stands is: relative to the root, and on the ground.

        Args:
            foot: 0 for left, 1 for right.
            offset_b: Position of the point that touches the ground in the root's frame [m], shape [3].
        """
        matrix = self.rotation.as_matrix()
        offset_w = matrix @ offset_b
        jacobian = np.zeros((4, SIZE))
        # 0 = (f + df) - (p + dp) - offset_w - theta x offset_w, so the residual is df - dp + S(offset_w) theta.
        jacobian[:3, POS], jacobian[:3, FOOT[foot]] = -np.eye(3), np.eye(3)
        jacobian[:3, ORI] = _skew(offset_w)
        jacobian[3, FOOT[foot].start + 2] = 1.0
        residual = np.append(offset_w - (self.feet_w[foot] - self.pos_w), -self.feet_w[foot, 2])
        self._correct(residual, jacobian, np.array([KINEMATICS_NOISE] * 3 + [HEIGHT_NOISE]))

    def expects_velocity(self, lin_vel_w: np.ndarray) -> bool:
        """Whether the root may well have this velocity [m/s], shape [3], over a foot that is said to stand.

        A foot that swings is said to stand now and then, since its inertia counts as weight. Then the velocity is off
        by more than :data:`GATE` standard deviations: r^T (P + N)^-1 r > GATE^2, P of the velocity and N of the foot's.
        """
        residual = lin_vel_w - self.lin_vel_w
        innovation = self.covariance[VEL, VEL] + VELOCITY_NOISE**2 * np.eye(3)
        return bool(residual @ np.linalg.solve(innovation, residual) <= GATE**2)

    def shift_foot(self, foot: int, shift_b: np.ndarray) -> None:
        """Let a foot that stands touch the ground elsewhere, because it rolls: by this in the root's frame [m]."""
        self.feet_w[foot] += self.rotation.apply(shift_b)

    def correct_velocity(self, lin_vel_w: np.ndarray) -> None:
        """Use the velocity that the root has over a foot that stands [m/s], shape [3]."""
        jacobian = np.zeros((3, SIZE))
        jacobian[:, VEL] = np.eye(3)
        self._correct(lin_vel_w - self.lin_vel_w, jacobian, np.full(3, VELOCITY_NOISE))

    def correct_orientation(self, quat_xyzw: np.ndarray) -> None:
        """Use the IMU's orientation (x, y, z, w), shape [4]."""
        jacobian = np.zeros((3, SIZE))
        jacobian[:, ORI] = np.eye(3)
        between = (Rotation.from_quat(quat_xyzw) * self.rotation.inv()).as_rotvec()
        self._correct(between, jacobian, np.full(3, ORIENTATION_NOISE))

    def put_foot_down(self, foot: int, offset_b: np.ndarray) -> None:
        """Let a foot stand anew where forward kinematics say that it is."""
        self.feet_w[foot] = self.pos_w + self.rotation.apply(offset_b)

    def _correct(self, residual: np.ndarray, jacobian: np.ndarray, noise: np.ndarray) -> None:
        spread = self.covariance @ jacobian.T
        innovation = jacobian @ spread
        innovation[np.diag_indices(len(noise))] += noise**2
        gain = np.linalg.solve(innovation, spread.T).T
        self._add(gain @ residual)
        keep = np.eye(SIZE) - gain @ jacobian
        self.covariance = keep @ self.covariance @ keep.T + (gain * noise**2) @ gain.T

    def _add(self, error: np.ndarray) -> None:
        self.pos_w += error[POS]
        self.lin_vel_w += error[VEL]
        self.rotation = Rotation.from_rotvec(error[ORI]) * self.rotation
        self.acc_bias += error[ACC_BIAS]
        self.gyro_bias += error[GYRO_BIAS]
        for foot, place in enumerate(FOOT):
            self.feet_w[foot] += error[place]


def _skew(vector: np.ndarray) -> np.ndarray:
    """Matrix S with S x = vector x x; d(R a) = theta x (R a) = -S(R a) theta."""
    x, y, z = vector
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
