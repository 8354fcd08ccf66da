"""The robot's own remote control, whose buttons and sticks come with every state."""

from __future__ import annotations

import struct

import numpy as np

from ..control.controller import Controller
from .person import Person

BUTTONS = ("R1", "L1", "start", "select", "R2", "L2", "F1", "F2", "A", "B", "X", "Y", "up", "right", "down", "left")
"""Bits of the two bytes after the head, from the lowest."""

WISHES = {
    "start": "stand",
    "A": "track",
    "X": "next",
    "Y": "hold",
    "B": "damp",
    "L2": "damp",
    "select": "passive",
    "left": "left",
    "right": "right",
    "up": "straight",
}

WALK_WISHES = WISHES | {"X": "straight"}
WALK_BUTTONS = {"up": ("cadence", 5.0), "down": ("cadence", -5.0)}
"""What buttons do and change while a gait policy runs."""

STICKS = {"left_x": 4, "right_x": 8, "right_y": 12, "left_y": 20}
"""Byte at which each axis of a stick begins, a float in [-1, 1]; right and forward are positive."""
DEAD_ZONE = 0.1
"""Deflection of a stick that counts as none."""
SPEED_RATE = 0.3
"""How fast the left stick, pushed fully, changes the speed [m/s per s]."""
TURN_RATE = 0.4
"""Turn rate of the right stick, pushed fully [rad/s]."""


def pressed(remote: bytes) -> frozenset[str]:
    """Buttons that are pressed, from the 40 bytes ``wireless_remote`` of a state."""
    bits = struct.unpack_from("<H", remote, 2)[0]
    return frozenset(name for place, name in enumerate(BUTTONS) if bits >> place & 1)


def deflection(remote: bytes, axis: str) -> float:
    """How far a stick is pushed along one of :data:`STICKS`, in [-1, 1]; 0 in the dead zone or for NaN."""
    value = struct.unpack_from("<f", remote, STICKS[axis])[0]
    return float(np.clip(value, -1.0, 1.0)) if abs(value) > DEAD_ZONE else 0.0


class Remote:
    """Does what a button stands for, once each time it is pressed, and steers a walk by the sticks.

    The left stick changes the speed, which stays when it is let go; the right one is the turn rate.
    """

    def __init__(self, controller: Controller):
        self.person = Person(controller)
        self._before: frozenset[str] = frozenset()
        self._time: float | None = None
        self._turns = False

    def poll(self, controller: Controller) -> bool:
        """Act on the buttons of the latest state; a remote never quits."""
        if len(controller.remote) == 40:
            now = pressed(controller.remote)
            walks = controller.tracker.wanted is not None
            wishes = WALK_WISHES if walks else WISHES
            for button in sorted(now - self._before):
                if walks and button in WALK_BUTTONS:
                    self.person.steer(*WALK_BUTTONS[button])
                elif button in wishes:
                    self.person.wish(wishes[button])
            self._before = now
            if walks:
                self._steer(controller.remote, controller.robot_time)
        return False

    def _steer(self, remote: bytes, time: float) -> None:
        dt = 0.0 if self._time is None else np.clip(time - self._time, 0.0, 0.1)
        self._time = time
        forward, right = deflection(remote, "left_y"), deflection(remote, "right_x")
        if forward:
            self.person.steer("speed", SPEED_RATE * forward * dt)
        if right or self._turns:  # a stick that is let go ends its turn, and leaves a keyboard's alone
            self.person.ask("turn_rate", -TURN_RATE * right)
        self._turns = bool(right)
