"""Numbers of a recording: per rollout, and over all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from . import metrics
from .rollout import Recording, lafan1_failures, task_failures, tracking_reward

if TYPE_CHECKING:
    from whole_body_tracking.tasks.tracking.tracking_env_cfg import RewardsCfg, TerminationsCfg


@dataclass
class RolloutMetrics:
    """Every metric of :data:`~.metrics.DEFINITIONS`, each of shape [num_rollouts]."""

    values: dict[str, Tensor]

    def select(self, rollouts: Tensor) -> RolloutMetrics:
        """Metrics of some rollouts, given as a mask or indices."""
        return RolloutMetrics({name: value[rollouts] for name, value in self.values.items()})

    def mean(self) -> dict[str, float]:
        """Mean over rollouts; rates are shares."""
        return {name: float(value.float().nanmean()) for name, value in self.values.items()}


def measure(recording: Recording, rewards: RewardsCfg, terminations: TerminationsCfg, root_body: str) -> RolloutMetrics:
    """Compute all metrics of a recording.

    Args:
        recording: Trajectories.
        rewards: Tracking terms whose kernels and weights count.
        terminations: Terminations of the task, which define success.
        root_body: Body whose height and tilt the LAFAN1-40 criterion judges.
    """
    errors, steps = recording.errors(), recording.num_steps
    failed, failed_lafan1 = task_failures(recording, terminations), lafan1_failures(recording, root_body)
    reward = tracking_reward(errors, rewards)
    running = metrics.running_until_failure(failed, steps)
    position = (recording.ref.pos_w - recording.robot.pos_w).norm(dim=-1).mean(-1)
    joint = (recording.ref_joint_pos - recording.joint_pos).square().mean(-1)
    degrees = 180.0 / math.pi
    per_step = {
        "mpkpe": position,
        "r_mpkpe": errors.body_pos.sqrt().mean(-1),
        "anchor_pos": errors.anchor_pos.sqrt(),
        "anchor_ori": errors.anchor_ori.sqrt() * degrees,
        "body_ori": errors.body_ori.sqrt().mean(-1) * degrees,
        "body_lin_vel": errors.body_lin_vel.sqrt().mean(-1),
        "body_ang_vel": errors.body_ang_vel.sqrt().mean(-1),
        "tracking_reward": reward,
    }
    values = {name: metrics.masked_mean(value, running) for name, value in per_step.items()}
    values["joint_rmse"] = torch.sqrt(metrics.masked_mean(joint, running)) * degrees
    values["success"] = metrics.success(failed, steps)
    values["success_lafan1"] = metrics.success(failed_lafan1, steps)
    values["completion"] = metrics.completion(failed, steps)
    values["normalised_return"] = metrics.normalised_return(reward, failed_lafan1, steps)
    return RolloutMetrics(values)
