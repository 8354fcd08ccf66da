"""Show actuators their engine, which Isaac Lab builds them without."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isaaclab.assets import Articulation


def bind_actuators(articulation: Articulation, timestep: float) -> None:
    """Bind every actuator of a robot that asks for it; others are left alone. The tracking tasks' actions call it.

    Args:
        articulation: A robot whose simulation has been reset.
        timestep: Physics step [s].
    """
    for actuator in articulation.actuators.values():
        if hasattr(actuator, "bind"):
            actuator.bind(articulation, timestep)
