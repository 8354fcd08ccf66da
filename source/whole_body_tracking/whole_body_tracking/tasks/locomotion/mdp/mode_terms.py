"""Terms of the modes task: rewards and falls of modes without a clip, and what a policy sees of its mode.

Those of modes with a clip are the schedule's, :mod:`.scheduled_terms`: tracking that counts in guided envs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from isaaclab.envs import mdp as isaaclab_mdp
from torch import Tensor

from whole_body_tracking.tasks.tracking.task_reference import COMMAND_TERM

from .rewards import (
    ang_vel_xy_l2,
    feet_air_time_positive_biped,
    flat_orientation_l2,
    joint_deviation_l1,
    lin_vel_z_l2,
    track_ang_vel_z_world_exp,
    track_heading_exp,
    track_lin_vel_xy_yaw_frame_exp,
)

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from .mode_commands import ModeMotionCommand


def _without_clip(term: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A reward or termination that is zero, or False, in envs that perform a clip."""

    @wraps(term)
    def free(env: ManagerBasedRLEnv, *args, **kwargs) -> Tensor:
        guided = env.command_manager.get_term(COMMAND_TERM).guided
        return term(env, *args, **kwargs).masked_fill(guided, 0)

    free.__module__ = __name__  # where a run's settings say that it is
    return free


track_lin_vel_xy_yaw_frame_exp = _without_clip(track_lin_vel_xy_yaw_frame_exp)
track_ang_vel_z_world_exp = _without_clip(track_ang_vel_z_world_exp)
track_heading_exp = _without_clip(track_heading_exp)
feet_air_time_positive_biped = _without_clip(feet_air_time_positive_biped)
flat_orientation_l2 = _without_clip(flat_orientation_l2)
lin_vel_z_l2 = _without_clip(lin_vel_z_l2)
ang_vel_xy_l2 = _without_clip(ang_vel_xy_l2)
joint_deviation_l1 = _without_clip(joint_deviation_l1)
root_height_below_minimum = _without_clip(isaaclab_mdp.root_height_below_minimum)
bad_orientation = _without_clip(isaaclab_mdp.bad_orientation)


def mode(env: ManagerBasedRLEnv, command_name: str) -> Tensor:
    """One-hot mode, in the order of the modes' names, shape [num_envs, num_modes]."""
    motion: ModeMotionCommand = env.command_manager.get_term(command_name)
    return motion.one_hot


def mode_phase(env: ManagerBasedRLEnv, command_name: str) -> Tensor:
    """Phase of the clip that is performed, zeros without one, shape [num_envs, 8]."""
    motion: ModeMotionCommand = env.command_manager.get_term(command_name)
    return motion.phase_features
