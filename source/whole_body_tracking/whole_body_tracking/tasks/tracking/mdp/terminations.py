"""Termination terms of the tracking task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.tracking.criteria import any_height_fails, drift_fails, height_fails, tilt_fails
from whole_body_tracking.tracking.errors import has_diverged

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
    return height_fails(motion.reference_bodies, motion.robot_bodies, motion.anchor_idx, threshold)


def bad_anchor_pos_xy(env: ManagerBasedRLEnv, command_name: str, threshold: float) -> Tensor:
    """End when the anchor is off by more than ``threshold`` [m] in the horizontal plane."""
    motion: MotionCommand = env.command_manager.get_term(command_name)
    return drift_fails(motion.reference_bodies, motion.robot_bodies, motion.anchor_idx, threshold)


def bad_anchor_ori(env: ManagerBasedRLEnv, command_name: str, threshold: float) -> Tensor:
    """End when the z component of gravity in the anchor's frame is off by more than ``threshold``, in [0, 2]."""
    motion: MotionCommand = env.command_manager.get_term(command_name)
    return tilt_fails(motion.reference_bodies, motion.robot_bodies, motion.anchor_idx, threshold)


def bad_body_pos_z(env: ManagerBasedRLEnv, command_name: str, threshold: float, body_names: list[str]) -> Tensor:
    """End when the height of any of ``body_names`` is off by more than ``threshold`` [m]."""
    motion: MotionCommand = env.command_manager.get_term(command_name)
    bodies = motion.tracked_bodies(body_names)
    return any_height_fails(motion.reference_bodies, motion.robot_bodies, bodies, threshold)


def state_not_finite(env: ManagerBasedRLEnv, command_name: str) -> Tensor:
    """End when the simulated state holds NaN or Inf; the reset that follows replaces it."""
    motion: MotionCommand = env.command_manager.get_term(command_name)
    return has_diverged(motion.errors)
