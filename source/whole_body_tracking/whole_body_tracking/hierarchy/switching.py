"""One robot, several skills: who drives it, and how one hands over to the next."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .observing import Aim
from .robot_batch import RobotBatch
from .skills import Skill, WalkSkill

BLEND = 0.3
"""Time over which targets go from those of one skill to those of the next [s]."""


@dataclass(frozen=True)
class Wish:
    """What a selector wants."""

    skill: Tensor
    """Index of a skill, shape [num_envs]."""
    gait: Tensor
    """How to walk: values of the walk's ``gait`` input, shape [num_envs, num_inputs]."""


class Switcher:
    """Runs the skill that is wanted as soon as the present one can be left.

    A walk is slowed down and left at a touchdown, a clip runs to its end, and a robot stands for a second at
    least. Then the next skill begins where the robot stands, and for :data:`BLEND` seconds its targets q* are
    mixed with the last ones of the skill before, q-,

        q = q- + w(t / T) (q* - q-),      w(s) = s^3 (10 - 15 s + 6 s^2),

    and no joint's target moves faster than the joint can (``joint_velocity_limit``). The limit stays until the targets
    have reached those of the new skill, so that nothing jumps when it is lifted.
    """

    def __init__(self, skills: list[Skill], first: int = 0):
        """Let all robots begin with one skill.

        Args:
            skills: The first one that walks is slowed down before it is left.
            first: Index of the skill that drives first.
        """
        self.skills, self._first = skills, first
        spec, num_envs = skills[0].spec, skills[0].num_envs
        self.reach = torch.tensor(spec.joint_velocity_limit) * spec.control_dt
        """How far a joint's target may move in a step while skills are blended [rad], shape [num_joints]."""
        self._num_blend = max(1, round(BLEND / spec.control_dt))
        self.active = torch.full((num_envs,), first)
        """Skill that drives, shape [num_envs]."""
        self.blends = torch.zeros(num_envs, dtype=torch.bool)
        """Whether the targets are still on their way to those of the skill, shape [num_envs]."""
        self._blend_steps = torch.zeros(num_envs, dtype=torch.long)
        self._left = self.targets = torch.zeros(num_envs, len(spec.joint_names))

    def reset(self, mask: Tensor, robot: RobotBatch) -> None:
        """Begin anew where some robots were put, in the pose in which they are.

        Args:
            mask: Which robots, shape [num_envs].
            robot: All of them.
        """
        self.active = torch.where(mask, self._first, self.active)
        for skill in self.skills:
            skill.start(mask, robot)
        self.blends = self.blends | mask
        self._blend_steps = torch.where(mask, 0, self._blend_steps)
        self._left = torch.where(mask[:, None], robot.joint_pos, self._left)
        self.targets = torch.where(mask[:, None], robot.joint_pos, self.targets)

    def act(self, robot: RobotBatch, wish: Wish) -> Tensor:
        """Joint targets of the next control period [rad], shape [num_envs, num_joints].

        Args:
            robot: The robots now.
            wish: What is wanted.
        """
        leaves = (wish.skill != self.active) & self._of_active([skill.can_end for skill in self.skills]) & ~self.blends
        for index, skill in enumerate(self.skills):
            skill.start(leaves & (wish.skill == index), robot)
        self.active = torch.where(leaves, wish.skill, self.active)
        for index, skill in enumerate(self.skills):
            if isinstance(skill, WalkSkill):
                skill.slows_down = (self.active == index) & (wish.skill != index)
        self._left = torch.where(leaves[:, None], self.targets, self._left)
        self._blend_steps = torch.where(leaves, 0, self._blend_steps)
        self.blends = self.blends | leaves
        self.acted_on = Aim(
            *(self._of_active(list(fields)) for fields in zip(*(s.aim for s in self.skills), strict=True))
        )
        """What the targets are to reach, in the worlds of the references."""
        wanted = self._of_active([skill.act(robot, wish.gait) for skill in self.skills])
        self.targets = self._blended(wanted)
        return self.targets

    def of_active(self, name: str) -> Tensor:
        """A property that all skills have, for the one that drives each robot, shape [num_envs, ...]."""
        return self._of_active([getattr(skill, name) for skill in self.skills])

    def _blended(self, wanted: Tensor) -> Tensor:
        """Advance the blend: see the class."""
        self._blend_steps = self._blend_steps + 1
        share = (self._blend_steps / self._num_blend).clamp(max=1.0)
        smooth = (share**3 * (10.0 - 15.0 * share + 6.0 * share**2))[:, None]
        mixed = torch.where(smooth < 1.0, self._left + smooth * (wanted - self._left), wanted)
        limited = torch.minimum(torch.maximum(mixed, self.targets - self.reach), self.targets + self.reach)
        targets = torch.where(self.blends[:, None], limited, wanted)
        self.blends = self.blends & ~((share >= 1.0) & (targets == wanted).all(-1))
        return targets

    def _of_active(self, values: list[Tensor]) -> Tensor:
        stacked = torch.stack(values)
        index = self.active.view(1, -1, *[1] * (stacked.dim() - 2)).expand(1, *stacked.shape[1:])
        return stacked.gather(0, index)[0]
