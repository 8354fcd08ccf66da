"""Discs on the ground where goals are."""

from __future__ import annotations

from collections.abc import Sequence

import viser

from whole_body_tracking.viewer.scene import WORLD

GOAL_COLOR = (220, 90, 40)


def add_mark(scene: viser.SceneApi, index: int, radius: float) -> viser.CylinderHandle:
    """Add a disc of a radius [m], hidden at first."""
    return scene.add_cylinder(
        f"{WORLD}/goal_{index}",
        radius=radius,
        height=0.02,
        color=GOAL_COLOR,
        opacity=0.6,
        cast_shadow=False,
        receive_shadow=False,  # its own would make it grainy
        visible=False,
    )


class StandingMarks:
    """Discs that stay where they are: further things of an offline page."""

    def __init__(self, scene: viser.SceneApi, goals: Sequence[tuple[float, float]], radius: float):
        """Add them.

        Args:
            scene: Of the page.
            goals: Their places on the ground [m].
            radius: How near the robot has to come [m].
        """
        for index, goal in enumerate(goals):
            mark = add_mark(scene, index, radius)
            mark.position, mark.visible = (*goal, 0.0), True

    def show(self, frame: int) -> None:
        """Nothing moves."""
