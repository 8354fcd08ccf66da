"""Tracking rewards: exp(-error / std^2) of a mean squared error. Each is 1 when the robot is on the reference.

``std_scale`` multiplies ``std`` and is what :func:`~.std_schedule.tighten_tracking_std` moves; ``body_weights`` names
bodies whose errors count more or less than 1 in the mean.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.tracking import foot_and_tilt_errors
from whole_body_tracking.tracking.errors import exp_kernel

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv

    from whole_body_tracking.tracking.errors import TrackingErrors


def track_anchor_pos_exp(env: ManagerBasedRLEnv, command_name: str, std: float, std_scale: float = 1.0) -> Tensor:
    """Reward the anchor's world position, std in [m]."""
    return exp_kernel(_errors(env, command_name).anchor_pos, std * std_scale)


def track_anchor_ori_exp(env: ManagerBasedRLEnv, command_name: str, std: float, std_scale: float = 1.0) -> Tensor:
    """Reward the anchor's world orientation, std in [rad]."""
    return exp_kernel(_errors(env, command_name).anchor_ori, std * std_scale)


def track_body_pos_exp(
    env: ManagerBasedRLEnv,
    command_name: str,
    std: float,
    std_scale: float = 1.0,
    body_weights: dict[str, float] | None = None,
) -> Tensor:
    """Reward anchor-relative body positions (mean of squares over bodies), std in [m]."""
    return exp_kernel(
        _over_bodies(_errors(env, command_name).body_pos, env, command_name, body_weights), std * std_scale
    )


def track_body_ori_exp(
    env: ManagerBasedRLEnv,
    command_name: str,
    std: float,
    std_scale: float = 1.0,
    body_weights: dict[str, float] | None = None,
) -> Tensor:
    """Reward anchor-relative body orientations (mean of squares over bodies), std in [rad]."""
    return exp_kernel(
        _over_bodies(_errors(env, command_name).body_ori, env, command_name, body_weights), std * std_scale
    )


def track_body_lin_vel_exp(env: ManagerBasedRLEnv, command_name: str, std: float, std_scale: float = 1.0) -> Tensor:
    """Reward world linear velocities of the bodies (mean of squares over bodies), std in [m/s]."""
    return exp_kernel(_errors(env, command_name).body_lin_vel.mean(-1), std * std_scale)


def track_body_ang_vel_exp(env: ManagerBasedRLEnv, command_name: str, std: float, std_scale: float = 1.0) -> Tensor:
    """Reward world angular velocities of the bodies (mean of squares over bodies), std in [rad/s]."""
    return exp_kernel(_errors(env, command_name).body_ang_vel.mean(-1), std * std_scale)


def joint_pos_limits(env: ManagerBasedRLEnv, asset_name: str = "robot") -> Tensor:
    """Penalise joints beyond their soft limits: the excess summed over joints [rad], shape [num_envs].

    An env whose state is not finite counts as zero: its episode ends in the same step.
    """
    robot: Articulation = env.scene[asset_name]
    position, limits = robot.data.joint_pos.torch, robot.data.soft_joint_pos_limits.torch
    beyond = (limits[..., 0] - position).clamp(min=0.0) + (position - limits[..., 1]).clamp(min=0.0)
    return beyond.sum(-1).nan_to_num(nan=0.0, posinf=0.0)


def _errors(env: ManagerBasedRLEnv, command_name: str) -> TrackingErrors:
    return env.command_manager.get_term(command_name).errors


def _over_bodies(values: Tensor, env: ManagerBasedRLEnv, command_name: str, weights: dict[str, float] | None) -> Tensor:
    if weights is None:
        return values.mean(-1)
    names = tuple(env.command_manager.get_term(command_name).body_names)
    return foot_and_tilt_errors.weighted_mean(values, _weights(tuple(weights.items()), names, values.device))


@lru_cache(maxsize=8)
def _weights(weights: tuple[tuple[str, float], ...], body_names: tuple[str, ...], device: torch.device) -> Tensor:
    return torch.tensor(foot_and_tilt_errors.body_weights(dict(weights), body_names), device=device)
