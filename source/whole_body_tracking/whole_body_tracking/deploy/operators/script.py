"""An operator that stands the robot up, lets it track one clip or walk for a while, and stops."""

from __future__ import annotations

import logging

from ..control.controller import Controller

logger = logging.getLogger(__name__)


class Script:
    """Passive -> stand -> track -> hold -> quit, a walk -> stand -> quit; the times are the robot's."""

    def __init__(self, clip: str | None, stand_seconds: float, hold_seconds: float, walk_seconds: float | None = None):
        """Plan the run.

        Args:
            clip: Clip to track; None takes the first.
            stand_seconds: How long to stand in the first pose, so that a gantry can put the robot down [s].
            hold_seconds: How long to go on at the clip's end, or to stand after a walk [s].
            walk_seconds: How long to walk [s]; None waits for the end of the clip.
        """
        self._clip, self._stand, self._hold, self._walk = clip, stand_seconds, hold_seconds, walk_seconds
        self._since: float | None = None

    def poll(self, controller: Controller) -> bool:
        """Do what is due, and say whether the run is over."""
        if controller.mode == "passive":
            if self._clip is not None:
                controller.tracker.choose(self._clip)
            controller.stand()
        elif controller.mode == "stand" and controller.is_standing:
            if controller.finished:
                return self._has_waited(controller, self._hold)
            if self._has_waited(controller, self._stand) and not controller.track(self._clip):
                logger.error("The clip does not start. Stopping.")
                return True
        elif controller.mode == "track" and self._walk is not None:
            if self._has_waited(controller, self._walk):
                controller.hold()
        elif controller.mode == "hold" and self._walk is None:
            return self._has_waited(controller, self._hold)
        return controller.mode == "damp"

    def _has_waited(self, controller: Controller, seconds: float) -> bool:
        if self._since is None:
            self._since = controller.robot_time
        if controller.robot_time - self._since < seconds:
            return False
        self._since = None
        return True
