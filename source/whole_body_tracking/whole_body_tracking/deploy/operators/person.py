"""What a person can ask for, by whatever device."""

from __future__ import annotations

import logging

from ..control.controller import Controller

logger = logging.getLogger(__name__)

HEADING_STEP = 0.1
"""Turn of the reference per key press [rad]; of a walk the change of its turn rate [rad/s]."""


class Person:
    """Turns named wishes into calls of the controller."""

    WISHES = ("stand", "track", "hold", "next", "damp", "passive", "left", "right", "straight", "quit")

    def __init__(self, controller: Controller):
        self._controller = controller
        self._heading = 0.0
        self.clip = controller.tracker.name
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
            names = self._controller.tracker.names
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

    def steer(self, name: str, by: float) -> None:
        """Change how the robot walks; without effect on a clip, and on a parameter that the policy does not take."""
        self._ask(name, lambda wanted: wanted[name] + by)

    def ask(self, name: str, value: float) -> None:
        """Say how the robot walks; likewise."""
        self._ask(name, lambda wanted: value)

    def _ask(self, name: str, value_of) -> None:
        wanted = self._controller.tracker.wanted
        if wanted is None or name not in wanted.spec.gait_inputs:
            logger.warning("The policy cannot be told its %s.", name)
            return
        wanted.ask(name, value_of(wanted))

    def _turn(self, step: float | None) -> None:
        if self._controller.tracker.wanted is not None:
            self._ask("turn_rate", lambda wanted: 0.0 if step is None else wanted["turn_rate"] + step)
            return
        self._heading = 0.0 if step is None else self._heading + step
        self._controller.tracker.corrections.ask_heading(self._heading)
