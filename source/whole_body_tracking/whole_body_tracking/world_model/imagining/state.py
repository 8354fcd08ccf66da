"""State of a robot as one row of numbers, what of it the model may see, and a step in time. No simulator.

A row is root position in the env's frame [m] (3), root orientation (x, y, z, w) (4), root linear velocity in the world
[m/s] (3), root angular velocity in the base frame [rad/s] (3), joint positions [rad] and velocities [rad/s] in the
robot's order in the simulator.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from whole_body_tracking.motion.geometry.rotations import quat_conjugate, quat_exp, quat_mul, quat_rotate

NUM_ROOT = 13
"""Numbers of the root in a row."""
NUM_ROOT_CHANGES = 6
"""Changes of the root's velocities that the model predicts."""


class StateFields(NamedTuple):
    """Parts of a row; see the module."""

    root_pos: Tensor
    root_quat: Tensor
    root_lin_vel_w: Tensor
    root_ang_vel_b: Tensor
    joint_pos: Tensor
    joint_vel: Tensor


def num_joints_of(state: Tensor) -> int:
    """Joints of a robot whose rows have this width."""
    return (state.shape[-1] - NUM_ROOT) // 2


def split(state: Tensor) -> StateFields:
    """Name the parts of rows, shape [..., 13 + 2 * num_joints]."""
    joints = num_joints_of(state)
    return StateFields(*state.split([3, 4, 3, 3, joints, joints], dim=-1))


def features(state: Tensor) -> Tensor:
    """What the model sees of a state: the same wherever the robot stands and heads.

    Returns:
        Root height [m] (1), direction of gravity (3), linear (3) and angular (3) velocity of the root, all three in
        the base frame, joint positions and velocities; shape [..., 10 + 2 * num_joints].
    """
    parts = split(state)
    inverse = quat_conjugate(parts.root_quat)
    down = torch.zeros_like(parts.root_pos)
    down[..., 2] = -1.0
    return torch.cat(
        (
            parts.root_pos[..., 2:],
            quat_rotate(inverse, down),
            quat_rotate(inverse, parts.root_lin_vel_w),
            parts.root_ang_vel_b,
            parts.joint_pos,
            parts.joint_vel,
        ),
        dim=-1,
    )


def integrate(state: Tensor, change: Tensor, dt: float) -> Tensor:
    """State one step later, semi-implicitly: velocities first, then positions with the new velocities.

    v' = v + q dv,  w' = w + dw,  p' = p + dt v',  q' = q exp(dt w') and the same as v and p for each joint; ``exp``
    keeps the orientation a unit quaternion, which is normalised against rounding.

    Args:
        state: Rows, shape [..., 13 + 2 * num_joints].
        change: Changes of the root's linear and angular velocity in the base frame [m/s, rad/s] and of the joints'
            [rad/s], shape [..., 6 + num_joints].
        dt: Step [s].
    """
    parts = split(state)
    lin_vel = parts.root_lin_vel_w + quat_rotate(parts.root_quat, change[..., :3])
    ang_vel = parts.root_ang_vel_b + change[..., 3:NUM_ROOT_CHANGES]
    joint_vel = parts.joint_vel + change[..., NUM_ROOT_CHANGES:]
    quat = torch.nn.functional.normalize(quat_mul(parts.root_quat, quat_exp(ang_vel * dt)), dim=-1)
    position = parts.root_pos + lin_vel * dt
    return torch.cat((position, quat, lin_vel, ang_vel, parts.joint_pos + joint_vel * dt, joint_vel), dim=-1)


def velocity_change(state: Tensor, after: Tensor) -> Tensor:
    """Change that :func:`integrate` needs for the velocities of ``after``, shape [..., 6 + num_joints]."""
    now, then = split(state), split(after)
    linear = quat_rotate(quat_conjugate(now.root_quat), then.root_lin_vel_w - now.root_lin_vel_w)
    return torch.cat((linear, then.root_ang_vel_b - now.root_ang_vel_b, then.joint_vel - now.joint_vel), dim=-1)
