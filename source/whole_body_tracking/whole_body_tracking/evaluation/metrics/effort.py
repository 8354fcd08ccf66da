"""Smoothness and energy of a motion: pure functions of trajectories of shape [num_steps, num_rollouts, ...]."""

from __future__ import annotations

import torch
from torch import Tensor

from whole_body_tracking.tracking.joint_drive import mechanical_power

from .reductions import masked_mean

GRAVITY = 9.81
"""[m/s^2]"""
MIN_DISTANCE = 0.5
"""A robot that ends closer to its start than this has no cost of transport [m]."""


def action_rate(actions: Tensor, valid: Tensor) -> Tensor:
    """Root mean square over joints and steps of the change of the action from one step to the next.

    Args:
        actions: Raw actions, shape [num_steps, num_rollouts, num_joints].
        valid: Steps that count, shape [num_steps, num_rollouts].
    """
    change = (actions[1:] - actions[:-1]).square().mean(-1)
    return masked_mean(change, valid[1:]).sqrt()


def joint_jerk(joint_vel: Tensor, valid: Tensor, step_dt: float) -> Tensor:
    """Root mean square over joints and steps of the joint jerk [rad/s^3]: (v[t+1] - 2 v[t] + v[t-1]) / step_dt^2.

    Args:
        joint_vel: Joint velocities [rad/s], shape [num_steps, num_rollouts, num_joints].
        valid: Steps that count, shape [num_steps, num_rollouts].
        step_dt: Duration of a step [s].
    """
    jerk = (joint_vel[2:] - 2.0 * joint_vel[1:-1] + joint_vel[:-2]) / step_dt**2
    return masked_mean(jerk.square().mean(-1), valid[2:]).sqrt()


def mean_power(torque: Tensor, joint_vel: Tensor, valid: Tensor) -> Tensor:
    """Mean over steps of the mechanical power of all joints, |torque * velocity| summed [W]; braking costs too.

    Args:
        torque: Torques of the drives [N m], shape [num_steps, num_rollouts, num_joints].
        joint_vel: Joint velocities [rad/s], same shape.
        valid: Steps that count, shape [num_steps, num_rollouts].
    """
    return masked_mean(mechanical_power(torque, joint_vel), valid)


def cost_of_transport(power: Tensor, root_pos_w: Tensor, valid: Tensor, mass: float, step_dt: float) -> Tensor:
    """Energy over weight times distance, shape [num_rollouts]; NaN for a robot that stays within 0.5 m.

    Args:
        power: Mean power [W], shape [num_rollouts].
        root_pos_w: Root positions [m], shape [num_steps, num_rollouts, 3]. The distance is the horizontal one between
            the first and the last valid step: a path's length would count swaying as travel.
        valid: Steps that count: the first ones of each rollout, shape [num_steps, num_rollouts].
        mass: Mass of the robot [kg].
        step_dt: Duration of a step [s].
    """
    num_valid = valid.sum(0)
    last = root_pos_w[num_valid - 1, torch.arange(len(num_valid), device=num_valid.device)]
    distance = (last - root_pos_w[0])[:, :2].norm(dim=-1)
    energy = power * (num_valid - 1) * step_dt
    return torch.where(distance >= MIN_DISTANCE, energy / (mass * GRAVITY * distance), torch.nan)
