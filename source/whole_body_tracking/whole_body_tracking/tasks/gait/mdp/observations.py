"""Observations that the gait task has beyond the tracking task's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedEnv

    from .commands import GaitCommand


def gait_params(env: ManagerBasedEnv, command_name: str) -> Tensor:
    """Parameters of the reference, -1 to 1 over the RefNN's ranges, shape [num_envs, num_params]."""
    gait: GaitCommand = env.command_manager.get_term(command_name)
    return gait.walk.scaled_params(gait.state)


def gait_phase(env: ManagerBasedEnv, command_name: str) -> Tensor:
    """Sine and cosine of 2 pi times the phase of the frame aimed at, shape [num_envs, 2]."""
    gait: GaitCommand = env.command_manager.get_term(command_name)
    return gait.walk.phase_vector(gait.state)
