"""Check for a display, which MuJoCo's viewer needs."""

from __future__ import annotations

import os

DISPLAY_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY")


def has_display() -> bool:
    """Whether this process can open windows."""
    return any(os.environ.get(name) for name in DISPLAY_VARIABLES)


def require_display() -> None:
    """Check that MuJoCo's viewer can open a window.

    Raises:
        ValueError: If there is no display; the message says what to use instead.
    """
    if not has_display():
        raise ValueError(
            f"--viewer needs a display, and neither of {list(DISPLAY_VARIABLES)} is set. Open the played.html that"
            " sim2sim.py writes, or pass --video FILE.mp4."
        )
