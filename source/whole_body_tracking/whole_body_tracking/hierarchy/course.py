"""Courses: points to reach in order, then a clip to perform."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from whole_body_tracking.motion.geometry.rotations import quat_rotate
from whole_body_tracking.tracking.errors import yaw_twist

from .robot_batch import RobotBatch


@dataclass(frozen=True)
class CourseSettings:
    """What courses look like.

    Raises:
        ValueError: If a number is not finite or out of its range.
    """

    num_goals: int = 3
    """Points to reach, in order."""
    distance: tuple[float, float] = (1.5, 3.0)
    """From each point to the next [m]."""
    turn: float = 1.2
    """By how much each leg turns from the one before, to either side at most [rad]."""
    radius: float = 0.3
    """How near the root has to come to a point, horizontally [m]."""
    seconds: float = 60.0
    """Time for the whole course [s]."""

    def __post_init__(self):
        if not 1 <= self.num_goals <= 20:
            raise ValueError(f"--num_goals is {self.num_goals}, expected 1 to 20.")
        low, high = self.distance
        limits = {
            "the shortest distance": (low, 0.5, 20.0),
            "the longest distance": (high, low, 20.0),
            "the turn": (self.turn, 0.0, math.pi),
            "the radius": (self.radius, 0.1, 2.0),
            "--seconds": (self.seconds, 5.0, 600.0),
        }
        for name, (value, least, most) in limits.items():
            if not least <= value <= most:  # NaN, too
                raise ValueError(f"A course's {name} is {value:g}, expected {least:g} to {most:g}.")


def draw_goals(settings: CourseSettings, num_envs: int, generator: torch.Generator) -> Tensor:
    """Points relative to where a robot stands, with its heading along x [m], shape [num_envs, num_goals, 2]."""
    shape = (num_envs, settings.num_goals)
    low, high = settings.distance
    length = low + (high - low) * torch.rand(shape, generator=generator)
    heading = (settings.turn * (2.0 * torch.rand(shape, generator=generator) - 1.0)).cumsum(-1)
    legs = length[..., None] * torch.stack((heading.cos(), heading.sin()), dim=-1)
    return legs.cumsum(1)


def placed(goals: Tensor, robot: RobotBatch) -> Tensor:
    """Points relative to robots as points of the world, shape [num_envs, num_goals, 2]."""
    turn = yaw_twist(robot.root_quat)[:, None].expand(*goals.shape[:2], 4)
    points = torch.cat((goals, torch.zeros_like(goals[..., :1])), dim=-1)
    return (robot.root_pos[:, None] + quat_rotate(turn, points))[..., :2]


def heading_of(robot: RobotBatch) -> Tensor:
    """Heading of the roots [rad], shape [num_envs]."""
    twist = yaw_twist(robot.root_quat)
    return 2.0 * torch.atan2(twist[:, 2], twist[:, 3])


def way_to(robot: RobotBatch, point: Tensor) -> tuple[Tensor, Tensor]:
    """Distance [m] and bearing [rad, left positive, within pi] of points, shape [num_envs] each.

    Args:
        robot: The robots.
        point: In the world [m], shape [num_envs, 2].
    """
    offset = point - robot.root_pos[:, :2]
    bearing = torch.atan2(offset[:, 1], offset[:, 0]) - heading_of(robot)
    return offset.norm(dim=-1), torch.atan2(bearing.sin(), bearing.cos())


class Progress:
    """How far robots are on their courses."""

    def __init__(self, settings: CourseSettings, num_envs: int):
        self.settings = settings
        self.goals = torch.zeros(num_envs, settings.num_goals, 2)
        """In the world [m], shape [num_envs, num_goals, 2]."""
        self.clip = torch.zeros(num_envs, dtype=torch.long)
        """Index of the skill to perform at the end, shape [num_envs]."""
        self.reached = torch.zeros(num_envs, dtype=torch.long)
        """How many points were reached, shape [num_envs]."""
        self.is_ready = torch.zeros(num_envs, dtype=torch.bool)
        """Whether all points were reached while the clip was not being performed, so that it counts now."""

    def reset(self, mask: Tensor, goals: Tensor, clip: Tensor) -> None:
        """Give some robots new courses.

        Args:
            mask: Which, shape [num_envs].
            goals: Points of all in the world [m], shape [num_envs, num_goals, 2].
            clip: Indices of skills, shape [num_envs].
        """
        self.goals = torch.where(mask[:, None, None], goals, self.goals)
        self.clip = torch.where(mask, clip, self.clip)
        self.reached = torch.where(mask, 0, self.reached)
        self.is_ready = self.is_ready & ~mask

    def goal(self, ahead: int = 0) -> Tensor:
        """The point to reach now, or one that comes later; the last one after it [m], shape [num_envs, 2]."""
        index = (self.reached + ahead).clamp(max=self.settings.num_goals - 1)
        return self.goals.gather(1, index[:, None, None].expand(-1, 1, 2))[:, 0]

    @property
    def walks(self) -> Tensor:
        """Which robots have points left, shape [num_envs]."""
        return self.reached < self.settings.num_goals

    def advance(self, robot: RobotBatch, active: Tensor) -> Tensor:
        """Look where the robots are now.

        Args:
            robot: The robots.
            active: Skill that drives each, shape [num_envs].

        Returns:
            Which have just reached a point.
        """
        arrived = self.walks & (way_to(robot, self.goal())[0] < self.settings.radius)
        self.reached = self.reached + arrived
        self.is_ready = self.is_ready | (~self.walks & (active != self.clip))
        return arrived
