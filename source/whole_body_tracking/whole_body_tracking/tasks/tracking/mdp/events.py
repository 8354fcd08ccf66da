"""Domain randomisation that Isaac Lab does not ship."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from isaaclab.utils.math import sample_uniform
from torch import Tensor

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedEnv

    from .actions import TrackingJointPositionAction


def randomize_joint_default_pos(
    env: ManagerBasedEnv,
    env_ids: Tensor | slice | None,
    offset_range: tuple[float, float],
    asset_name: str = "robot",
    action_name: str = "joint_pos",
) -> None:
    """Shift every joint's zero as a badly calibrated encoder would; the action's offset follows.

    Args:
        env: The environment.
        env_ids: Envs to randomise, or None for all.
        offset_range: Range of the uniform shift [rad].
        asset_name: Robot in the scene.
        action_name: Action term whose offset follows.
    """
    robot: Articulation = env.scene[asset_name]
    action: TrackingJointPositionAction = env.action_manager.get_term(action_name)
    rows = torch.arange(env.num_envs, device=env.device)[slice(None) if env_ids is None else env_ids]
    shift = sample_uniform(*offset_range, size=(len(rows), robot.num_joints), device=env.device)
    robot.data.default_joint_pos.torch[rows] = action.nominal_offset[rows] + shift
    action.set_offset(rows, robot.data.default_joint_pos.torch[rows])
