"""The safety layer: what keeps targets within the limits, and what ends a run in damping."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass

import numpy as np

from ..protocol.readings import Readings
from .limits import JointLimits
from .pose import Posture

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SafetyConfig:
    """Thresholds that a policy's file does not know."""

    position_margin: float = 0.1
    """How far beyond its limit a joint may be measured: the encoders' offset and noise [rad]."""
    velocity_share: float = 1.0
    """Share of a joint's velocity limit that may be measured, for :attr:`grace` states in a row at most."""
    torque_share: float = 1.1
    """Share of a joint's effort limit that may be measured, likewise."""
    grace: int = 10
    """States in a row that may exceed the two above; at 500 Hz that is 20 ms."""
    tilt: float = 0.8
    """Angle between the up directions of the anchor and of its reference [rad]."""
    height: float = 0.25
    """How much lower above its lower foot the root may be than the reference's is [m]."""
    self_collision: float = -0.025
    """Distance between bodies that may touch, at :attr:`lookahead` from now [m]; negative: their capsules overlap, more
    than in the clip. Wrists that brush the thighs while walking reach -22 mm."""
    lookahead: float = 0.02
    """How far ahead joint velocities are followed [s]."""
    stale: float = 0.06
    """Age of the last accepted state [s]."""
    late: float = 0.02
    """Time that a policy step may take [s], for :attr:`late_in_a_row` steps in a row at most."""
    late_in_a_row: int = 3
    damping: float = 3.0
    """Velocity gain of all motors in damping [N m s/rad]."""


@dataclass(frozen=True)
class Trip:
    """Why a run ended in damping."""

    name: str
    message: str
    """What was measured, where, and the limit."""


class SafetyLayer:
    """Checks every state and every target of a run; the first trip counts, later ones do not replace it."""

    def __init__(self, limits: JointLimits, config: SafetyConfig | None = None):
        self.limits, self.config = limits, config or SafetyConfig()
        self.trip: Trip | None = None
        self.clamped: Counter[str] = Counter()
        """Policy steps in which a target was changed, by what changed it."""
        self._in_a_row: Counter[str] = Counter()
        self._last_target: np.ndarray | None = None

    def reset(self) -> None:
        """Forget the trip and what led to it."""
        self.trip, self._last_target = None, None
        self._in_a_row.clear()

    def begin(self, target: np.ndarray) -> None:
        """Start limiting targets from those that are held now [rad], shape [num_joints]."""
        self._last_target = target

    def check_joints(self, readings: Readings) -> None:
        """Check the joints of one state: positions at once, velocities and torques if they stay beyond."""
        limits, config = self.limits, self.config
        beyond = np.maximum(limits.lower - readings.joint_pos, readings.joint_pos - limits.upper)
        self._judge("joint_position", beyond, config.position_margin, "rad beyond its limit", grace=0)
        speed = np.abs(readings.joint_vel) / limits.velocity
        self._judge("joint_velocity", speed, config.velocity_share, "of its velocity limit", config.grace)
        torque = np.abs(readings.joint_torque) / limits.effort
        self._judge("joint_torque", torque, config.torque_share, "of its effort limit", config.grace)

    def check_posture(self, posture: Posture, reference: Posture) -> None:
        """Check tilt, height and distances between bodies against what the reference has."""
        config = self.config
        tilt = float(np.arccos(np.clip(posture.up_b @ reference.up_b, -1.0, 1.0)))
        if tilt > config.tilt:
            self._trip("tilt", f"the anchor is tilted by {tilt:.2f} rad from its reference, limit {config.tilt:g}")
        drop = reference.height - posture.height
        if drop > config.height:
            self._trip("fall", f"the root is {drop:.2f} m lower over the feet than it should, limit {config.height:g}")
        if posture.distance < config.self_collision:
            between = " and ".join(posture.closest)
            text = f"{between} are {posture.distance * 1000.0:.0f} mm apart in {config.lookahead:g} s"
            self._trip("self_collision", f"{text}, limit {config.self_collision * 1000.0:g} mm")

    def check_upright(self, up_b: np.ndarray) -> None:
        """Check that the root is upright, while the robot only stands."""
        tilt = float(np.arccos(np.clip(up_b[2], -1.0, 1.0)))
        if tilt > self.config.tilt:
            self._trip("tilt", f"the root is tilted by {tilt:.2f} rad while standing, limit {self.config.tilt:g}")

    def check_age(self, age: float) -> None:
        """Check how long ago the last state was accepted [s]."""
        if age > self.config.stale:
            self._trip("stale_state", f"the last state came {age * 1000.0:.0f} ms ago, limit {self.config.stale:g} s")

    def check_duration(self, duration: float) -> None:
        """Check how long a policy step took [s]."""
        name = "late_inference"
        self._in_a_row[name] = self._in_a_row[name] + 1 if duration > self.config.late else 0
        if self._in_a_row[name] > self.config.late_in_a_row:
            text = f"{self._in_a_row[name]} policy steps in a row took more than {self.config.late:g} s"
            self._trip(name, f"{text}, the last one {duration * 1000.0:.0f} ms")

    def limited(self, target: np.ndarray, readings: Readings, dt: float) -> np.ndarray | None:
        """A policy's position targets within rate, torque and soft position limits; None if they are not numbers.

        Args:
            target: Wanted targets [rad], shape [num_joints].
            readings: The present state.
            dt: Time since the last targets [s].
        """
        if not np.isfinite(target).all():
            names = [name for name, value in zip(self.limits.names, target, strict=True) if not np.isfinite(value)]
            self._trip("not_finite", f"{len(names)} targets of the policy are not numbers, {names[0]}'s first")
            return None
        limits = self.limits
        if self._last_target is not None:
            reach = limits.velocity * dt
            target = self._clamp("rate", target, self._last_target - reach, self._last_target + reach)
        target = self._clamp("torque", target, *limits.within_torque(readings.joint_pos, readings.joint_vel))
        self._last_target = self._clamp("soft_position", target, *limits.within_position(readings.joint_pos))
        return self._last_target

    def _clamp(self, name: str, target: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
        clamped = target.clip(lower, upper)
        self.clamped[name] += bool((np.abs(clamped - target) > 1e-9).any())
        return clamped

    def _judge(self, name: str, values: np.ndarray, limit: float, unit: str, grace: int) -> None:
        worst = int(values.argmax())
        self._in_a_row[name] = self._in_a_row[name] + 1 if values[worst] > limit else 0
        if self._in_a_row[name] > grace:
            self._trip(name, f"{self.limits.names[worst]} is at {values[worst]:.3f} {unit}, limit {limit:g}")

    def _trip(self, name: str, message: str) -> None:
        if self.trip is None:
            self.trip = Trip(name, message)
            logger.error("Safety: %s: %s. Damping.", name, message)
