"""Teleoperation corrections: what a person adds to the reference while the robot tracks it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

HEADING_LIMIT = 0.8
"""Of the heading [rad]."""
HEADING_RATE = 0.4
"""[rad/s]"""
JOINT_LIMIT = 0.4
"""Of every joint [rad]."""
JOINT_RATE = 0.8
"""[rad/s]"""
UPPER_BODY = ("shoulder", "elbow", "wrist")
"""Joints that may be corrected have one of these in their names."""


class Corrections:
    """Offsets that follow what is asked for, within limits and no faster than allowed."""

    def __init__(self, joint_names: Sequence[str]):
        """Start without any.

        Args:
            joint_names: All joints, in the order of the policy.
        """
        self.joint_names = tuple(joint_names)
        self.adjustable = tuple(name for name in joint_names if any(part in name for part in UPPER_BODY))
        self.heading = 0.0
        """Present turn of the reference to the left [rad]."""
        self.joints = np.zeros(len(self.joint_names))
        """Present offsets of the reference's joints [rad], shape [num_joints]."""
        self._wanted_heading, self._wanted_joints = 0.0, np.zeros(len(self.joint_names))

    def reset(self) -> None:
        """Back to none at once, for a new start."""
        self.heading = self._wanted_heading = 0.0
        self.joints[:] = self._wanted_joints[:] = 0.0

    @property
    def wanted_heading(self) -> float:
        """What :meth:`ask_heading` asked for [rad]."""
        return self._wanted_heading

    def wanted_joint(self, name: str) -> float:
        """What :meth:`ask_joint` asked for [rad]."""
        return float(self._wanted_joints[self.joint_names.index(name)])

    def ask_heading(self, angle: float) -> None:
        """Ask for a turn of the reference to the left [rad]."""
        self._wanted_heading = float(np.clip(angle, -HEADING_LIMIT, HEADING_LIMIT))

    def ask_joint(self, name: str, offset: float) -> None:
        """Ask for an offset of a joint [rad].

        Raises:
            ValueError: If the joint may not be corrected; the message lists those that may.
        """
        if name not in self.adjustable:
            raise ValueError(f"'{name}' may not be corrected. The upper body's joints may: {list(self.adjustable)}.")
        self._wanted_joints[self.joint_names.index(name)] = np.clip(offset, -JOINT_LIMIT, JOINT_LIMIT)

    def advance(self, dt: float) -> float:
        """Follow what is asked for and return how much the heading has changed [rad].

        Args:
            dt: Time since the last call [s].
        """
        turn = float(np.clip(self._wanted_heading - self.heading, -HEADING_RATE * dt, HEADING_RATE * dt))
        self.heading += turn
        self.joints += (self._wanted_joints - self.joints).clip(-JOINT_RATE * dt, JOINT_RATE * dt)
        return turn
