"""Observations of the locomotion tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedEnv


def velocity_command(env: ManagerBasedEnv, command_name: str) -> Tensor:
    """Forward and lateral velocity [m/s] and turning rate [rad/s] that are asked for, shape [num_envs, 3].

    Isaac Lab's ``generated_commands`` by a name of its own, by which its mirror image is known.
    """
    return env.command_manager.get_command(command_name)
