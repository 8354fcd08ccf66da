"""Robots that the project knows, by name."""

from .g1 import G1
from .model import RobotModel

ROBOTS: dict[str, RobotModel] = {G1.name: G1}
"""Robot models by the name that scripts take."""


def get_robot(name: str) -> RobotModel:
    """Return the model called ``name``.

    Raises:
        ValueError: If no robot has that name; the message lists those that exist.
    """
    if name not in ROBOTS:
        raise ValueError(f"Unknown robot '{name}'. Known robots: {sorted(ROBOTS)}.")
    return ROBOTS[name]


__all__ = ["G1", "ROBOTS", "RobotModel", "get_robot"]
