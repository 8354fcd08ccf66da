"""Tracking metrics: pure functions of recorded trajectories.

Trajectories have shape [num_steps, num_rollouts, ...]; ``valid`` [num_steps, num_rollouts] says which steps belong to a
rollout that was still running. Errors are averaged over the valid steps of each rollout.
"""

from __future__ import annotations

import torch
from torch import Tensor

DEFINITIONS = {
    "mpkpe": "Mean over tracked bodies and steps of the distance between robot and reference in the world frame [m].",
    "r_mpkpe": "The same after re-anchoring the reference at the robot (what the reward sees) [m].",
    "joint_rmse": "Root mean square over joints and steps of the joint position error [deg].",
    "anchor_pos": "Mean distance between robot and reference anchor in the world frame [m].",
    "anchor_ori": "Mean angle between robot and reference anchor in the world frame [deg].",
    "body_ori": "Mean over bodies and steps of the angle between robot and re-anchored reference [deg].",
    "body_lin_vel": "Mean over bodies and steps of the linear velocity error in the world frame [m/s].",
    "body_ang_vel": "Mean over bodies and steps of the angular velocity error in the world frame [rad/s].",
    "tracking_reward": "Mean over steps of the six tracking terms, as a share of their maximum (weights sum to 5).",
    "success": "Share of rollouts that reached the clip's last frame without a termination of the task"
    " (anchor height off by more than 0.25 m, anchor gravity by more than 0.8, an ankle's or wrist's height by 0.25 m).",
    "success_lafan1": "Share of rollouts whose pelvis height never was off by more than 0.25 m nor its projected gravity"
    " by more than 0.8 (criterion of the LAFAN1-40 benchmark).",
    "completion": "Mean share of the clip's frames reached before failing under the task's terminations.",
    "normalised_return": "Sum of the six tracking terms over 5 times the clip's steps, nothing counted after a failure"
    " under the LAFAN1-40 criterion.",
}
"""What each number of a report means."""


def masked_mean(values: Tensor, valid: Tensor) -> Tensor:
    """Mean of each rollout over its valid steps, shape [num_rollouts].

    Args:
        values: Per-step values, shape [num_steps, num_rollouts].
        valid: Which steps count, same shape. A rollout without a valid step gives NaN.
    """
    return torch.where(valid, values, 0.0).sum(0) / valid.sum(0)


def running_until_failure(failed: Tensor, num_steps: Tensor) -> Tensor:
    """Steps that belong to a rollout: up to and including the first failure, and within its clip.

    Args:
        failed: Whether a failure criterion holds at each step, shape [num_steps, num_rollouts].
        num_steps: Steps of each rollout's clip, shape [num_rollouts].
    """
    before = torch.cat((torch.zeros_like(failed[:1]), failed[:-1])).cumsum(0) == 0
    return before & _within(failed, num_steps)


def success(failed: Tensor, num_steps: Tensor) -> Tensor:
    """Whether each rollout reached the end of its clip without failing, shape [num_rollouts]."""
    return ~(failed & _within(failed, num_steps)).any(0)


def completion(failed: Tensor, num_steps: Tensor) -> Tensor:
    """Share of a clip's steps done before failing, in [0, 1], shape [num_rollouts]."""
    done = running_until_failure(failed, num_steps) & ~failed
    return done.sum(0) / num_steps


def normalised_return(reward: Tensor, failed: Tensor, num_steps: Tensor) -> Tensor:
    """Sum of ``reward`` (a share of its maximum) before failing over the clip's steps, shape [num_rollouts]."""
    counted = running_until_failure(failed, num_steps) & ~failed
    return torch.where(counted, reward, 0.0).sum(0) / num_steps


def _within(values: Tensor, num_steps: Tensor) -> Tensor:
    return torch.arange(len(values), device=values.device)[:, None] < num_steps
