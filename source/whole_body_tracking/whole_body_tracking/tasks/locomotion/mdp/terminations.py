"""Termination terms of the locomotion tasks; falls are Isaac Lab's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv


def state_not_finite(env: ManagerBasedRLEnv, asset_name: str = "robot") -> Tensor:
    """End when the robot's state holds NaN or Inf; the reset that follows replaces it."""
    robot: Articulation = env.scene[asset_name]
    data = robot.data
    parts = (data.root_link_pose_w, data.root_link_vel_w, data.joint_pos, data.joint_vel)
    return ~torch.stack([part.torch.isfinite().all(-1) for part in parts]).all(0)
