"""The terminal's keyboard as an operator: one key, one wish."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty

from ..control.controller import Controller
from .person import Person

KEYS = {
    "s": "stand",
    "t": "track",
    "n": "next",
    "d": "damp",
    " ": "damp",
    "p": "passive",
    "[": "left",
    "]": "right",
    "=": "straight",
    "q": "quit",
}

HELP = "Keys: s stand, t track, n next clip, d or space damp, p passive, [ ] = heading, q quit."


class Keyboard:
    """Reads keys without waiting for Enter; :meth:`close` gives the terminal back."""

    def __init__(self, controller: Controller):
        """Take the terminal.

        Raises:
            ValueError: If standard input is not a terminal.
        """
        if not sys.stdin.isatty():
            raise ValueError("There is no keyboard here. Pass --seconds N to track the clip once, or --port N.")
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
        return self.person.has_quit

    def close(self) -> None:
        """Put the terminal's settings back."""
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._settings)
