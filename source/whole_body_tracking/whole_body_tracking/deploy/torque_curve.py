"""How much torque a motor has left at its speed."""

from __future__ import annotations

import numpy as np

KNEE_SPEED = 0.7
"""Share of its top speed up to which a motor gives its full torque; then the torque falls linearly to zero.

Unitree publishes curves of that shape whose knees are at 0.62 to 0.77 of the top speed."""


def torque_limits(
    joint_vel: np.ndarray, effort_limit: np.ndarray, velocity_limit: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest torque of motors at their speed [N m], shaped like ``joint_vel``.

    Driving torque is the effort limit up to :data:`KNEE_SPEED` and zero at the velocity limit; braking torque is the
    effort limit at any speed.

    Args:
        joint_vel: Joint velocities [rad/s].
        effort_limit: Torque at standstill [N m].
        velocity_limit: Speed at which no driving torque is left [rad/s].
    """

    def driving(speed: np.ndarray) -> np.ndarray:
        return effort_limit * np.clip((1.0 - speed / velocity_limit) / (1.0 - KNEE_SPEED), 0.0, 1.0)

    return -driving(-joint_vel), driving(joint_vel)
