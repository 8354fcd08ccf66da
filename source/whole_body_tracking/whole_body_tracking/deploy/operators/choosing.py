"""Which operators a run has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..control.controller import Controller
from .keyboard import HELP, Keyboard
from .page import Page
from .remote import Remote
from .script import Script


@contextmanager
def choose_operators(
    controller: Controller, is_scripted: bool, stand_seconds: float, port: int | None
) -> Iterator[list]:
    """The script, or the devices of a person; the remote control's damping works in either case.

    Args:
        controller: What they steer.
        is_scripted: Whether the first clip is tracked once without a person.
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
        if is_scripted:
            operators.append(Script(None, stand_seconds, hold_seconds=1.0))
        elif page is None or _has_terminal():
            keyboard = Keyboard(controller)
            operators.append(keyboard)
            print(HELP, flush=True)
        yield operators
    finally:
        for device in (page, keyboard):
            if device is not None:
                device.close()


def _has_terminal() -> bool:
    import sys

    return sys.stdin.isatty()
