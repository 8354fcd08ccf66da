"""What a person can ask for, by whatever device."""

from __future__ import annotations

import logging

from ..control.controller import Controller

logger = logging.getLogger(__name__)

HEADING_STEP = 0.1
"""Turn of the reference per key press [rad]."""


class Person:
    """Turns named wishes into calls of the controller."""

    WISHES = ("stand", "track", "next", "damp", "passive", "left", "right", "straight", "quit")

    def __init__(self, controller: Controller):
        self._controller = controller
        self._heading = 0.0
        self.clip = controller.tracker.reference.clip.name
        """Clip that is tracked next."""
        self.has_quit = False

    def wish(self, name: str) -> None:
        """Do one of :data:`WISHES`.

        Raises:
            ValueError: If it is none of them.
        """
        if name not in self.WISHES:
            raise ValueError(f"There is no wish '{name}'. There are: {self.WISHES}.")
        if name in ("left", "right", "straight"):
            self._turn({"left": HEADING_STEP, "right": -HEADING_STEP, "straight": None}[name])
        elif name == "next":
            names = list(self._controller.tracker.references)
            self.choose(names[(names.index(self.clip) + 1) % len(names)])
        elif name == "quit":
            self.has_quit = True
        elif name == "track":
            self._controller.track(self.clip)
        elif name == "stand":
            if self._controller.mode == "passive":
                self._controller.tracker.choose(self.clip)
            self._controller.stand()
        else:
            getattr(self._controller, name)()

    def choose(self, clip: str) -> None:
        """Choose the clip that is tracked next."""
        self.clip = clip
        logger.info("Next clip: %s", clip)

    def _turn(self, step: float | None) -> None:
        self._heading = 0.0 if step is None else self._heading + step
        self._controller.tracker.corrections.ask_heading(self._heading)
