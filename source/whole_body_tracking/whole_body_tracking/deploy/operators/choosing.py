"""Which operators a run has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..control.controller import Controller
from .keyboard import HELP, WALK_HELP, Keyboard
from .page import Page
from .remote import Remote
from .script import Script

STANDING_UP_AND_STOPPING = 30.0
"""Longest time that a run of a walk takes beyond standing and walking [s]."""


def longest_run(controller: Controller, seconds: float | None, stand_seconds: float) -> float | None:
    """Longest duration of a run [s]; None for one that a person ends.

    Args:
        controller: What runs.
        seconds: Of the command line: the duration with a clip, the walk's otherwise.
        stand_seconds: How long the script stands first [s].

    Raises:
        ValueError: If there is no such time.
    """
    if seconds is None:
        return None
    if not 0.0 < seconds < float("inf"):
        raise ValueError(f"--seconds {seconds:g} should be a positive number.")
    return seconds + stand_seconds + STANDING_UP_AND_STOPPING if controller.tracker.is_endless else seconds


@contextmanager
def choose_operators(
    controller: Controller, seconds: float | None, stand_seconds: float, port: int | None
) -> Iterator[list]:
    """The script, or the devices of a person; the remote control's damping works in either case.

    Args:
        controller: What they steer.
        seconds: If there is to be no person: how long to walk; a clip is tracked once [s].
        stand_seconds: How long the script stands first [s].
        port: Of the web page; None serves none.

    Raises:
        ValueError: If there is neither script, page nor keyboard.
    """
    operators: list = [Remote(controller)]
    page = None if port is None else Page(controller, port)
    keyboard = None
    try:
        if page is not None:
            operators.append(page)
        if seconds is not None:
            walk_seconds = seconds if controller.tracker.is_endless else None
            operators.append(Script(None, stand_seconds, 1.0, walk_seconds))
        elif page is None or _has_terminal():
            keyboard = Keyboard(controller)
            operators.append(keyboard)
            print(HELP if controller.tracker.wanted is None else WALK_HELP, flush=True)
        yield operators
    finally:
        for device in (page, keyboard):
            if device is not None:
                device.close()


def _has_terminal() -> bool:
    import sys

    return sys.stdin.isatty()
