"""The policy's observations as differentiable functions of a state and a reference, without noise. No simulator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from whole_body_tracking.motion import MotionState
from whole_body_tracking.motion.geometry.rotations import quat_conjugate, quat_rotate
from whole_body_tracking.tracking.errors import in_frame, rotation_columns

from .state import split

Noise = Callable[[Tensor], Tensor]
"""Adds a term's noise to its values."""


@dataclass(frozen=True)
class Sight:
    """What an observation is made of; tensors of shape [batch, ...]."""

    state: Tensor
    """Rows of :mod:`~.state`."""
    anchor_pos: Tensor
    """Robot's anchor in the env's frame [m]."""
    anchor_quat: Tensor
    ref: MotionState
    """Reference at the frame aimed at, in the env's frame."""
    ref_anchor_idx: int
    """Anchor among the bodies of the reference."""
    last_action: Tensor
    default_joint_pos: Tensor
    """Joint positions that count as zero [rad]; randomisation shifts them."""
    clip_ids: Tensor
    num_clips: int


def observe(functions: list[str], sight: Sight, noises: list[Noise | None] | None = None) -> Tensor:
    """Observations, shape [batch, width].

    Args:
        functions: Names of the terms' functions, of :data:`~..task_check.OBSERVATIONS`, in order.
        sight: What there is to see.
        noises: Noise of each term; None adds none.
    """
    values = [TERMS[name](sight) for name in functions]
    if noises is not None:
        values = [value if noise is None else noise(value) for value, noise in zip(values, noises, strict=True)]
    return torch.cat(values, dim=-1)


def _anchor(sight: Sight) -> tuple[Tensor, Tensor]:
    pos, quat = (values[:, sight.ref_anchor_idx] for values in (sight.ref.body_pos_w, sight.ref.body_quat_w))
    return in_frame(pos, quat, sight.anchor_pos, sight.anchor_quat)


def _base_lin_vel(sight: Sight) -> Tensor:
    parts = split(sight.state)
    return quat_rotate(quat_conjugate(parts.root_quat), parts.root_lin_vel_w)


def _root_up(sight: Sight) -> Tensor:
    up = torch.zeros_like(split(sight.state).root_pos)
    up[..., 2] = 1.0
    return quat_rotate(quat_conjugate(split(sight.state).root_quat), up)


def _one_hot(sight: Sight) -> Tensor:
    return torch.nn.functional.one_hot(sight.clip_ids, sight.num_clips).to(sight.state.dtype)


TERMS: dict[str, Callable[[Sight], Tensor]] = {
    "generated_commands": lambda sight: torch.cat((sight.ref.joint_pos, sight.ref.joint_vel), dim=-1),
    "motion_anchor_pos_b": lambda sight: _anchor(sight)[0],
    "motion_anchor_ori_b": lambda sight: rotation_columns(_anchor(sight)[1]),
    "base_lin_vel": _base_lin_vel,
    "base_ang_vel": lambda sight: split(sight.state).root_ang_vel_b,
    "joint_pos_rel": lambda sight: split(sight.state).joint_pos - sight.default_joint_pos,
    "joint_vel_rel": lambda sight: split(sight.state).joint_vel,
    "last_action": lambda sight: sight.last_action,
    "root_height": lambda sight: split(sight.state).root_pos[..., 2:],
    "root_up_b": _root_up,
    "motion_one_hot": _one_hot,
}
"""Function of each term, by the name of the task's own."""
