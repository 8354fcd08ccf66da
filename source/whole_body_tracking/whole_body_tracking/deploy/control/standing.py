"""From wherever the joints are to a clip's first pose, stiff enough to stand there without balancing."""

from __future__ import annotations

import numpy as np

from .limits import JointLimits
from .targets import MotorTargets

FULL_TORQUE_AT = 0.3
"""Position error at which legs and waist give their full torque while standing [rad].

With its own gains a policy's robot tips over within a second: a standing body is an inverted pendulum, stable above
m g h = 33 kg * 9.81 m/s^2 * 0.7 m = 230 N m/rad of both ankles together. 50 N m / 0.3 rad is 167 N m/rad for each."""

SUPPORTING = ("hip", "knee", "ankle", "waist")
"""Joints that carry the body have one of these in their names."""


def standing_gains(limits: JointLimits) -> tuple[np.ndarray, np.ndarray]:
    """Stiffness [N m/rad] and damping [N m s/rad] of all motors; arms keep the policy's, and all its damping ratio."""
    supports = np.array([any(part in name for part in SUPPORTING) for name in limits.names])
    stiffness = np.where(supports, limits.effort / FULL_TORQUE_AT, limits.stiffness)
    return stiffness, limits.damping * np.sqrt(stiffness / limits.stiffness)


class Ramp:
    """Joint targets that move smoothly from one pose to another."""

    def __init__(self, start: np.ndarray, end: np.ndarray, limits: JointLimits, seconds: float, begins: float):
        """Plan the ramp.

        Args:
            start: Where the joints are [rad], shape [num_joints].
            end: Where they shall be; it is brought within the soft limits.
            limits: Of the joints.
            seconds: Duration [s].
            begins: Time of the start [s].
        """
        self._start, self._end = start, end.clip(limits.soft_lower, limits.soft_upper)
        self._seconds, self._begins = seconds, begins
        self._gains = standing_gains(limits)

    def targets(self, time: float) -> MotorTargets:
        """Targets at a time [s]: a minimum-jerk curve, then the end."""
        share = np.clip((time - self._begins) / self._seconds, 0.0, 1.0)
        smooth = share**3 * (10.0 - 15.0 * share + 6.0 * share**2)
        return MotorTargets(self._start + smooth * (self._end - self._start), *self._gains)

    def is_over(self, time: float) -> bool:
        """Whether the targets have arrived."""
        return time - self._begins >= self._seconds
