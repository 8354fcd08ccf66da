"""The robot's own remote control, whose buttons come with every state."""

from __future__ import annotations

import struct

from ..control.controller import Controller
from .person import Person

BUTTONS = ("R1", "L1", "start", "select", "R2", "L2", "F1", "F2", "A", "B", "X", "Y", "up", "right", "down", "left")
"""Bits of the two bytes after the head, from the lowest."""

WISHES = {
    "start": "stand",
    "A": "track",
    "X": "next",
    "B": "damp",
    "L2": "damp",
    "select": "passive",
    "left": "left",
    "right": "right",
    "up": "straight",
}


def pressed(remote: bytes) -> frozenset[str]:
    """Buttons that are pressed, from the 40 bytes ``wireless_remote`` of a state."""
    bits = struct.unpack_from("<H", remote, 2)[0]
    return frozenset(name for place, name in enumerate(BUTTONS) if bits >> place & 1)


class Remote:
    """Does what a button stands for, once each time it is pressed."""

    def __init__(self, controller: Controller):
        self.person = Person(controller)
        self._before: frozenset[str] = frozenset()

    def poll(self, controller: Controller) -> bool:
        """Act on the buttons of the latest state; a remote never quits."""
        if len(controller.remote) == 40:
            now = pressed(controller.remote)
            for button in sorted(now - self._before):
                if button in WISHES:
                    self.person.wish(WISHES[button])
            self._before = now
        return False
