"""When an episode ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.tracking.errors import projected_gravity_z

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from .commands import MotionCommand


def clip_ended(env: ManagerBasedRLEnv, command_name: str) -> Tensor:
    """End as a time-out when the clip's last frame was reached and ``clip_end`` is ``truncate``."""
    motion: MotionCommand = env.command_manager.get_term(command_name)
    if motion.cfg.clip_end != "truncate":
        return torch.zeros(env.num_envs, dtype=torch.bool, device=env.device)
    return motion.clip_ended


def bad_anchor_pos_z(env: ManagerBasedRLEnv, command_name: str, threshold: float) -> Tensor:
    """End when the anchor's height is off by more than ``threshold`` [m]."""
    motion: MotionCommand = env.command_manager.get_term(command_name)
    anchor = motion.anchor_idx
    return (motion.reference_bodies.pos_w[:, anchor, 2] - motion.robot_bodies.pos_w[:, anchor, 2]).abs() > threshold


def bad_anchor_ori(env: ManagerBasedRLEnv, command_name: str, threshold: float) -> Tensor:
    """End when the z component of gravity in the anchor's frame is off by more than ``threshold``, in [0, 2]."""
    motion: MotionCommand = env.command_manager.get_term(command_name)
    anchor = motion.anchor_idx
    ref_z = projected_gravity_z(motion.reference_bodies.quat_w[:, anchor])
    return (ref_z - projected_gravity_z(motion.robot_bodies.quat_w[:, anchor])).abs() > threshold


def bad_body_pos_z(env: ManagerBasedRLEnv, command_name: str, threshold: float, body_names: list[str]) -> Tensor:
    """End when the height of any of ``body_names`` is off by more than ``threshold`` [m].

    Re-anchoring keeps the reference's heights, so this is also the error relative to the anchor.
    """
    motion: MotionCommand = env.command_manager.get_term(command_name)
    idx = motion.tracked_body_idx(body_names)
    error = motion.reference_bodies.pos_w[:, idx, 2] - motion.robot_bodies.pos_w[:, idx, 2]
    return (error.abs() > threshold).any(-1)


def state_not_finite(env: ManagerBasedRLEnv, command_name: str) -> Tensor:
    """End when the simulated state holds NaN or Inf; the reset that follows replaces it."""
    motion: MotionCommand = env.command_manager.get_term(command_name)
    return ~torch.isfinite(motion.errors.body_lin_vel.sum(-1) + motion.errors.body_pos.sum(-1))
