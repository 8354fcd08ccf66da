"""Terms of the schedule task: those of tracking, in guided episodes alone, and the curriculum that moves the phase."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.tasks.tracking.mdp import observations, rewards, terminations

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from .scheduled_commands import ScheduledMotionCommand


def _guided(
    term: Callable[..., Tensor], combine: Callable[[Tensor, ScheduledMotionCommand], Tensor]
) -> Callable[..., Tensor]:
    @wraps(term)
    def guided(env: ManagerBasedRLEnv, command_name: str, *args, **kwargs) -> Tensor:
        return combine(term(env, command_name, *args, **kwargs), env.command_manager.get_term(command_name))

    guided.__module__ = __name__  # where a run's settings say that it is
    return guided


def _weighted(term: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A tracking reward times the weight of the reference."""
    return _guided(term, lambda value, motion: value * motion.guidance)


def _while_guided(term: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A tracking failure that ends guided episodes alone."""
    return _guided(term, lambda value, motion: value & motion.guided)


track_anchor_pos_exp = _weighted(rewards.track_anchor_pos_exp)
track_anchor_ori_exp = _weighted(rewards.track_anchor_ori_exp)
track_body_pos_exp = _weighted(rewards.track_body_pos_exp)
track_body_ori_exp = _weighted(rewards.track_body_ori_exp)
track_body_lin_vel_exp = _weighted(rewards.track_body_lin_vel_exp)
track_body_ang_vel_exp = _weighted(rewards.track_body_ang_vel_exp)
bad_anchor_pos_z = _while_guided(terminations.bad_anchor_pos_z)
bad_anchor_ori = _while_guided(terminations.bad_anchor_ori)
bad_body_pos_z = _while_guided(terminations.bad_body_pos_z)


def motion_anchor_pos_b(env: ManagerBasedRLEnv, command_name: str, noise: float = 0.0) -> Tensor:
    """Reference anchor position in the robot's anchor frame [m], zeros without a reference, shape [num_envs, 3].

    The noise, uniform within plus and minus ``noise``, is the term's own: a group's would not leave zeros alone.
    """
    return _shown(observations.motion_anchor_pos_b(env, command_name), env, command_name, noise)


def motion_anchor_ori_b(env: ManagerBasedRLEnv, command_name: str, noise: float = 0.0) -> Tensor:
    """Reference anchor orientation in the robot's anchor frame, zeros without a reference, shape [num_envs, 6].

    Two columns of a rotation matrix; ``noise`` as of the position.
    """
    return _shown(observations.motion_anchor_ori_b(env, command_name), env, command_name, noise)


def _shown(value: Tensor, env: ManagerBasedRLEnv, command_name: str, noise: float) -> Tensor:
    guided = env.command_manager.get_term(command_name).guided
    if noise:
        value = value + noise * (2.0 * torch.rand_like(value) - 1.0)
    return torch.where(guided[:, None], value, 0.0)


def reference_joints(env: ManagerBasedRLEnv, command_name: str) -> Tensor:
    """Reference joint positions and velocities [rad, rad/s], zeros without one, shape [num_envs, 2 * num_joints]."""
    motion: ScheduledMotionCommand = env.command_manager.get_term(command_name)
    return torch.where(motion.guided[:, None], motion.command, 0.0)


def guidance(env: ManagerBasedRLEnv, command_name: str) -> Tensor:
    """Weight of the reference in each env, for the critic: the same state is worth more with it, [num_envs, 1]."""
    return env.command_manager.get_term(command_name).guidance[:, None]


def reference_phase(
    env: ManagerBasedRLEnv, env_ids: Sequence[int] | slice, command_name: str
) -> dict[str, float | Tensor]:
    """Curriculum: count the episodes that end, open the next phase if it is time, and return what is logged.

    Args:
        env: The environment; its step counter and the schedule's state are restored when a run is resumed.
        env_ids: Envs that are reset.
        command_name: Motion command that carries the schedule.
    """
    motion: ScheduledMotionCommand = env.command_manager.get_term(command_name)
    manager, schedule = env.termination_manager, motion.schedule
    schedule.record(manager.dones[env_ids], manager.terminated[env_ids], env.common_step_counter)
    success = schedule.success
    if schedule.update(env.common_step_counter):
        print(f"[INFO] Phase {schedule.phase + 1} begins: the reference has the weight {schedule.weight:g}.")
        motion.enter_phase()
    return {"phase": float(schedule.phase), "reference_weight": schedule.weight, "success": success}
