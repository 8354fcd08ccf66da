"""Robots by name: the packaged one, and those that other packages register."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from whole_body_tracking.names import require_known

from .facts_check import check_facts
from .g1 import G1
from .model import RobotModel

ENTRY_POINT_GROUP = "whole_body_tracking.robots"
"""Group in which an installed package names its robots: ``five = "my_package.robots:FIVE"``."""

ROBOTS: dict[str, RobotModel] = {G1.name: G1}
"""Robots that are loaded, by name. :func:`robot_names` also lists those that installed packages offer."""


def register_robot(robot: RobotModel) -> RobotModel:
    """Make a robot known by its name to every script and task of this process.

    Raises:
        ValueError: If its facts do not fit together, or another robot has this name.
    """
    check_facts(robot.facts)
    known = ROBOTS.setdefault(robot.name, robot)
    if known.facts != robot.facts:
        raise ValueError(f"Another robot is already called '{robot.name}'. Give yours another `name` in its facts.")
    return known


def robot_names() -> list[str]:
    """Names of all robots, loaded or offered by installed packages."""
    return sorted({*ROBOTS, *_offered()})


def get_robot(name: str) -> RobotModel:
    """Return the robot called ``name``; an installed package that offers it is imported only then.

    Raises:
        ValueError: If no robot has that name, or its package offers something else; the message lists those that exist.
    """
    if name in ROBOTS:
        return ROBOTS[name]
    offered = _offered()
    require_known(name, sorted({*ROBOTS, *offered}), "robot")
    return _load(offered[name])


def all_robots() -> list[RobotModel]:
    """Every robot; imports the packages that offer one.

    Raises:
        ValueError: If a package offers something else than a robot.
    """
    return [get_robot(name) for name in robot_names()]


def _offered() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def _load(point: EntryPoint) -> RobotModel:
    robot = point.load()
    if not isinstance(robot, RobotModel) or robot.name != point.name:
        raise ValueError(
            f"The entry point {point.name} = {point.value} in group {ENTRY_POINT_GROUP} gives {robot!r:.80}, expected a"
            f' RobotModel whose facts say "name": "{point.name}".'
        )
    return register_robot(robot)
