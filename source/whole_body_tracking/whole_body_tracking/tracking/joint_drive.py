"""Torque and power of a robot's joint drives: pure functions of tensors, the same on every engine."""

from __future__ import annotations

import torch
from torch import Tensor


def drive_torque(
    target: Tensor, joint_pos: Tensor, joint_vel: Tensor, stiffness: Tensor, damping: Tensor, limit: Tensor
) -> Tensor:
    """Torque of position drives [N m]: clip(stiffness (target - joint_pos) - damping joint_vel, +-limit).

    Args:
        target: Joint position targets [rad]; the other arguments broadcast to its shape.
        joint_pos: Joint positions [rad].
        joint_vel: Joint velocities [rad/s].
        stiffness: Position gains [N m/rad].
        damping: Velocity gains [N m s/rad].
        limit: Effort limits [N m].
    """
    return torch.clamp(stiffness * (target - joint_pos) - damping * joint_vel, -limit, limit)


def mechanical_power(torque: Tensor, joint_vel: Tensor) -> Tensor:
    """Power of all joints, |torque * velocity| summed over the last dimension [W]; braking costs too.

    Args:
        torque: Torques of the drives [N m].
        joint_vel: Joint velocities [rad/s], same shape.
    """
    return (torque * joint_vel).abs().sum(-1)
