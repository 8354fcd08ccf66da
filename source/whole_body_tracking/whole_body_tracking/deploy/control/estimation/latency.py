"""How late commands act, measured from the torques that the motors report."""

from __future__ import annotations

import numpy as np

from ...protocol.readings import Readings
from ...torque_curve import torque_limits
from ..limits import JointLimits
from ..targets import MotorTargets

TICK = 0.002
"""Resolution, and the period of the robot's states [s]."""
LONGEST = 0.1
"""Longest delay that is looked for [s]."""
MEMORY = 4.0
"""Time constant over which evidence is forgotten [s]."""
CLEAR = 0.5
"""Largest share of the usual error that the best delay may leave to count as found."""


class SentCommands:
    """The commands of the last moments, by the robot's clock."""

    def __init__(self, num_joints: int):
        self._length = round(LONGEST / TICK) + 2
        self._rows = np.zeros((self._length, 3, num_joints))
        self._newest: int | None = None
        self._count = 0

    @property
    def is_full(self) -> bool:
        """Whether there are commands from as long ago as the longest delay."""
        return self._count >= self._length

    def add(self, time: float, targets: MotorTargets) -> None:
        """Keep what is sent in answer to the state of a time [s]; where no state came the last command went on."""
        tick = round(time / TICK)
        row = np.stack((targets.joint_pos, targets.stiffness, targets.damping))
        missed = 0 if self._newest is None else min(tick - self._newest - 1, self._length)
        for index in range(tick - missed, tick):
            self._rows[index % self._length] = self._rows[self._newest % self._length]
        self._rows[tick % self._length] = row
        self._newest, self._count = tick, min(self._length, self._count + missed + 1)

    def at(self, ticks: np.ndarray) -> np.ndarray:
        """Targets, stiffness and damping sent at ticks of the clock, shape [num_ticks, 3, num_joints]."""
        return self._rows[np.asarray(ticks) % self._length]


class LatencyMeter:
    """Finds the delay at which the commands sent explain the torques reported.

    For every candidate d, error(d) = sum over joints of ((torque - clip(kp (q*(t - d) - q) - kd q')) / effort limit)^2,
    summed over time with a weight that fades over :data:`MEMORY`; the delay is the smallest one's. A state reports the
    torque of the period before it, so d + :data:`TICK` is looked up. While no candidate stands out, because targets
    rest, the last finding stays.
    """

    def __init__(self, limits: JointLimits):
        """Know nothing: the delay is 0 until measured.

        Args:
            limits: Of the joints, in the order of the motors.
        """
        self.sent = SentCommands(len(limits.names))
        self.delay = 0.0
        """From a state's time until the command that answers it acts [s]."""
        self._limits = limits
        self._lags = np.arange(1, round(LONGEST / TICK) + 2)
        self._errors = np.zeros(len(self._lags))

    def observe(self, readings: Readings, time: float) -> None:
        """Compare a state's torques with the commands before it.

        Args:
            readings: In the order of the motors.
            time: The robot's clock [s].
        """
        if not self.sent.is_full:
            return
        target, stiffness, damping = np.moveaxis(self.sent.at(round(time / TICK) - self._lags), 1, 0)
        wanted = stiffness * (target - readings.joint_pos) - damping * readings.joint_vel
        low, high = torque_limits(readings.joint_vel, self._limits.effort, self._limits.velocity)
        error = (readings.joint_torque - np.clip(wanted, low, high)) / self._limits.effort
        self._errors = (1.0 - TICK / MEMORY) * self._errors + np.square(error).sum(-1)
        best = int(self._errors.argmin())
        if self._errors[best] < CLEAR * np.median(self._errors):
            self.delay = best * TICK
