"""The terminal's keyboard as an operator: one key, one wish."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty

from whole_body_tracking.sim2sim.gait_walker import KEYS as WALK_KEYS

from ..control.controller import Controller
from .person import Person

KEYS = {
    "s": "stand",
    "t": "track",
    "h": "hold",
    "n": "next",
    "d": "damp",
    " ": "damp",
    "p": "passive",
    "[": "left",
    "]": "right",
    "=": "straight",
    "q": "quit",
}

STEERING = {
    key.lower(): (name, sign * step)
    for name, (up, down, step) in WALK_KEYS.items()
    for key, sign in ((up, 1.0), (down, -1.0))
}
"""What keys change while a gait policy runs, and by how much; the letters are those of sim2sim's page."""

HELP = "Keys: s stand, t track, n next clip, d or space damp, p passive, [ ] = heading, q quit."
WALK_HELP = (
    "Keys: s stand, t walk, h stop, i k speed, j l turn, = straight, o u cadence, d or space damp, p passive, q quit."
)


class Keyboard:
    """Reads keys without waiting for Enter; :meth:`close` gives the terminal back."""

    def __init__(self, controller: Controller):
        """Take the terminal.

        Raises:
            ValueError: If standard input is not a terminal.
        """
        if not sys.stdin.isatty():
            raise ValueError("There is no keyboard here. Pass --seconds N to run without, or --port N.")
        self.person = Person(controller)
        self._descriptor = sys.stdin.fileno()
        self._settings = termios.tcgetattr(self._descriptor)
        tty.setcbreak(self._descriptor)

    def poll(self, controller: Controller) -> bool:
        """Do what the pressed keys say, and say whether to quit."""
        while select.select([self._descriptor], [], [], 0.0)[0]:
            key = os.read(self._descriptor, 1).decode(errors="replace")
            if key in KEYS:
                self.person.wish(KEYS[key])
            elif key in STEERING and controller.tracker.wanted is not None:
                self.person.steer(*STEERING[key])
        return self.person.has_quit

    def close(self) -> None:
        """Put the terminal's settings back."""
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._settings)
