"""Observation terms of exported policies for many robots at once: those of ``sim2sim/observations.py``, in tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.gait.planning.parameters import PARAMETERS
from whole_body_tracking.motion.geometry.rotations import quat_conjugate, quat_mul, quat_rotate
from whole_body_tracking.names import require_known
from whole_body_tracking.tracking.errors import in_frame, rotation_columns, yaw_twist

from .robot_batch import RobotBatch


class Aim(NamedTuple):
    """What a skill's next step should reach, in the world of its reference."""

    joint_pos: Tensor
    """[rad], shape [num_envs, num_joints]."""
    joint_vel: Tensor
    """[rad/s], shape [num_envs, num_joints]."""
    anchor_pos: Tensor
    """[m], shape [num_envs, 3]."""
    anchor_quat: Tensor
    """(x, y, z, w), shape [num_envs, 4]."""

    def where(self, mask: Tensor, other: Aim) -> Aim:
        """This one where the mask holds, shape [num_envs], the other one elsewhere."""
        return Aim(*(torch.where(mask[:, None], mine, theirs) for mine, theirs in zip(self, other, strict=True)))


class Placement(NamedTuple):
    """A turn about the vertical and a horizontal shift, from the robots' world into that of their references."""

    turn: Tensor
    """(x, y, z, w), shape [num_envs, 4]."""
    shift: Tensor
    """[m], shape [num_envs, 3]."""

    @staticmethod
    def none(num_envs: int) -> Placement:
        """Both worlds are the same."""
        return Placement(torch.tensor([0.0, 0.0, 0.0, 1.0]).repeat(num_envs, 1), torch.zeros(num_envs, 3))

    @staticmethod
    def between(robot: RobotBatch, aim: Aim) -> Placement:
        """Robots' anchors get the horizontal place and the heading of the aim's; heights stay."""
        turn = yaw_twist(quat_mul(aim.anchor_quat, quat_conjugate(robot.anchor_quat)))
        shift = aim.anchor_pos - quat_rotate(turn, robot.anchor_pos)
        return Placement(turn, shift * shift.new_tensor([1.0, 1.0, 0.0]))

    def where(self, mask: Tensor, other: Placement) -> Placement:
        """This one where the mask holds, shape [num_envs], the other one elsewhere."""
        return Placement(*(torch.where(mask[:, None], mine, theirs) for mine, theirs in zip(self, other, strict=True)))

    def anchor(self, robot: RobotBatch) -> tuple[Tensor, Tensor]:
        """Pose of the robots' anchors in the world of their references."""
        return quat_rotate(self.turn, robot.anchor_pos) + self.shift, quat_mul(self.turn, robot.anchor_quat)


@dataclass(frozen=True)
class Sight:
    """What the terms read."""

    robot: RobotBatch
    placement: Placement
    aim: Aim
    last_action: Tensor
    """Action that the policy's file emitted at the step before; zeros at the first, shape [num_envs, num_joints]."""
    default_joint_pos: Tensor
    """[rad], shape [num_joints]."""


def _aim_in_anchor(sight: Sight) -> tuple[Tensor, Tensor]:
    return in_frame(sight.aim.anchor_pos, sight.aim.anchor_quat, *sight.placement.anchor(sight.robot))


def _in_root(sight: Sight, vector: Tensor) -> Tensor:
    return quat_rotate(quat_conjugate(sight.robot.root_quat), vector)


def _zeros(sight: Sight, width: int) -> Tensor:
    return sight.last_action.new_zeros(len(sight.last_action), width)


def _down(sight: Sight) -> Tensor:
    return sight.last_action.new_tensor([0.0, 0.0, -1.0]).expand(len(sight.last_action), 3)


TERMS: dict[str, Callable[[Sight], Tensor]] = {
    "command": lambda sight: torch.cat((sight.aim.joint_pos, sight.aim.joint_vel), dim=-1),
    "motion_anchor_pos_b": lambda sight: _aim_in_anchor(sight)[0],
    "motion_anchor_ori_b": lambda sight: rotation_columns(_aim_in_anchor(sight)[1]),
    "base_lin_vel": lambda sight: _in_root(sight, sight.robot.root_lin_vel),
    "base_ang_vel": lambda sight: _in_root(sight, sight.robot.root_ang_vel),
    "projected_gravity": lambda sight: _in_root(sight, _down(sight)),
    "joint_pos": lambda sight: sight.robot.joint_pos - sight.default_joint_pos,
    "joint_vel": lambda sight: sight.robot.joint_vel,
    "actions": lambda sight: sight.last_action,
    "gait_params": lambda sight: _zeros(sight, len(PARAMETERS)),
    "gait_phase": lambda sight: _zeros(sight, 2),
}
"""Terms by name. The file of a gait policy fills in the last two itself."""


def observe(spec: PolicySpec, sight: Sight) -> Tensor:
    """Observations of a policy, shape [num_envs, num_observations]."""
    return torch.cat([TERMS[term.name](sight) for term in spec.observations], dim=-1)


def require_observable(spec: PolicySpec, source: str) -> None:
    """Check that every term is known and plain.

    Args:
        spec: Of the policy.
        source: What messages call it.

    Raises:
        ValueError: If a term is unknown, or has a history, a scale or a bound.
    """
    for term in spec.observations:
        require_known(term.name, TERMS, f"observation term of {source} as a skill")
        if term.history_length > 1 or term.scale is not None or term.clip is not None:
            raise ValueError(
                f"{source}: '{term.name}' has a history, a scale or a bound, which a skill cannot have. Train the"
                " skill with the task's own observations."
            )
