"""A rope at the torso that holds a robot until it stands, puts it down, and lets go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.spatial.transform import Rotation

STIFFNESS = 10000.0
"""Of the rope [N/m]."""
DAMPING = 600.0
"""[N s/m]"""
TURN_STIFFNESS = 400.0
"""Of the two straps that keep the torso upright and facing ahead [N m/rad]."""
TURN_DAMPING = 40.0
"""[N m s/rad]"""
STEADY_SECONDS = 0.5
"""How long the joints have to stay where they are commanded to before the robot is put down [s]."""
LOWERING_SPEED = 0.08
"""[m/s]"""
SLACK_SHARE = 0.03
"""Share of the weight on the rope below which it is let go."""
SLACK_SECONDS = 0.4

Phase = Literal["holding", "lowering", "released"]


@dataclass
class Pull:
    """What the gantry does to the torso."""

    force_w: np.ndarray
    """[N], shape [3]."""
    torque_w: np.ndarray
    """[N m], shape [3]."""


class Gantry:
    """Holds the torso at a point; see :meth:`pull`."""

    def __init__(self, hook_w: np.ndarray, weight: float, dt: float):
        """Hook the torso.

        Args:
            hook_w: Where the torso's origin hangs [m], shape [3].
            weight: Of the robot [N].
            dt: Time between two calls of :meth:`pull` [s].
        """
        self.phase: Phase = "holding"
        self._hook_w, self._weight, self._dt = hook_w.copy(), weight, dt
        self._steady, self._slack = 0.0, 0.0

    def pull(self, pos_w: np.ndarray, quat_w: np.ndarray, lin_vel_w: np.ndarray, ang_vel_w: np.ndarray) -> Pull:
        """Force and torque on the torso: a spring to the hook that only pulls upwards, and straps.

        Args:
            pos_w: Torso position [m], shape [3].
            quat_w: Torso orientation (x, y, z, w), shape [4].
            lin_vel_w: [m/s], shape [3].
            ang_vel_w: [rad/s], shape [3].
        """
        force = STIFFNESS * (self._hook_w - pos_w) - DAMPING * lin_vel_w
        force[2] = max(0.0, force[2])
        torque = -TURN_STIFFNESS * Rotation.from_quat(quat_w).as_rotvec() - TURN_DAMPING * ang_vel_w
        if self.phase == "lowering":
            self._lower(force[2])
        if self.phase == "released":
            return Pull(np.zeros(3), np.zeros(3))
        return Pull(force, torque)

    def watch(self, is_steady: bool) -> None:
        """Say once per step whether the joints are held where they are commanded to be."""
        self._steady = self._steady + self._dt if is_steady else 0.0
        if self.phase == "holding" and self._steady >= STEADY_SECONDS:
            self.phase = "lowering"

    def _lower(self, upward_force: float) -> None:
        self._hook_w[2] -= LOWERING_SPEED * self._dt
        self._slack = self._slack + self._dt if upward_force < SLACK_SHARE * self._weight else 0.0
        if self._slack >= SLACK_SECONDS:
            self.phase = "released"
