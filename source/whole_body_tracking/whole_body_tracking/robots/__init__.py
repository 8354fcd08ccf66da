"""Robots as plain facts, and by name."""

from .g1 import G1
from .model import RobotModel
from .registry import ROBOTS, all_robots, get_robot, register_robot, robot_names

__all__ = ["G1", "ROBOTS", "RobotModel", "all_robots", "get_robot", "register_robot", "robot_names"]
