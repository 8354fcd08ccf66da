"""Measure a recording: every metric per rollout, and its mean over rollouts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.evaluation.recording import Recording
from whole_body_tracking.motion.geometry.ground import sole_heights
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.tracking.criteria import tracking_reward

from . import effort, reductions
from .contacts import contact_agreement
from .judging import lafan1_failures, task_failures

if TYPE_CHECKING:
    from whole_body_tracking.tasks.tracking.tracking_env_cfg import RewardsCfg, TerminationsCfg

DEGREES = 180.0 / math.pi


@dataclass
class RolloutMetrics:
    """Metrics of :data:`~.definitions.DEFINITIONS`, each of shape [num_rollouts]; NaN where one does not exist."""

    values: dict[str, Tensor]

    @classmethod
    def concatenate(cls, parts: Sequence[RolloutMetrics]) -> RolloutMetrics:
        """Metrics of several recordings, one after another; all have the same ones."""
        return cls({name: torch.cat([part.values[name] for part in parts]) for name in parts[0].values})

    def select(self, rollouts: Tensor) -> RolloutMetrics:
        """Metrics of some rollouts, given as a mask or indices."""
        return RolloutMetrics({name: value[rollouts] for name, value in self.values.items()})

    def mean(self) -> dict[str, float]:
        """Mean over the rollouts for which a metric exists; rates are shares. One that never exists is left out."""
        means = {name: float(value.double().nanmean()) for name, value in self.values.items()}
        return {name: value for name, value in means.items() if not math.isnan(value)}


def measure(
    recording: Recording,
    rewards: RewardsCfg,
    terminations: TerminationsCfg,
    root_body: str,
    robot: RobotModel | None = None,
) -> RolloutMetrics:
    """Compute all metrics of a recording.

    Args:
        recording: Trajectories.
        rewards: Tracking terms whose kernels and weights count.
        terminations: Terminations of the task, which define success.
        root_body: Body whose height and tilt the LAFAN1-40 criterion judges.
        robot: Robot whose soles and mass count; without it there are no contact metrics and no cost of transport.
    """
    steps = recording.num_steps
    failed, failed_lafan1 = task_failures(recording, terminations), lafan1_failures(recording, root_body)
    reward = tracking_reward(recording.errors(), rewards)
    running = reductions.running_until_failure(failed, steps)
    diverged = running & recording.diverged
    running &= ~diverged  # a step that is not finite has no error; the others of its rollout still have
    values = _tracking(recording, running) | {"tracking_reward": reductions.masked_mean(reward, running)}
    values |= _effort(recording, running, root_body, robot)
    if robot is not None and set(robot.foot_body_names) <= set(recording.body_names):
        values |= _contacts(recording, running, robot)
    values["success"] = reductions.success(failed, steps)
    values["success_lafan1"] = reductions.success(failed_lafan1, steps)
    values["diverged"] = diverged.any(0)
    values["completion"] = reductions.completion(failed, steps)
    values["survived_s"] = reductions.num_steps_done(failed, steps) * recording.step_dt
    values["normalised_return"] = reductions.normalized_return(reward, failed_lafan1, steps)
    return RolloutMetrics(values)


def per_step_errors(recording: Recording) -> dict[str, Tensor]:
    """Errors that are averaged over steps, in the units of their definitions, shape [num_steps, num_rollouts]."""
    errors = recording.errors()
    return {
        "mpkpe": (recording.ref.pos_w - recording.robot.pos_w).norm(dim=-1).mean(-1),
        "r_mpkpe": errors.body_pos.sqrt().mean(-1),
        "anchor_pos": errors.anchor_pos.sqrt(),
        "anchor_ori": errors.anchor_ori.sqrt() * DEGREES,
        "body_ori": errors.body_ori.sqrt().mean(-1) * DEGREES,
        "body_lin_vel": errors.body_lin_vel.sqrt().mean(-1),
        "body_ang_vel": errors.body_ang_vel.sqrt().mean(-1),
    }


def _tracking(recording: Recording, running: Tensor) -> dict[str, Tensor]:
    values = {name: reductions.masked_mean(value, running) for name, value in per_step_errors(recording).items()}
    joint = (recording.ref_joint_pos - recording.joint_pos).square().mean(-1)
    values["joint_rmse"] = torch.sqrt(reductions.masked_mean(joint, running)) * DEGREES
    for name in ("lin_vel", "ang_vel"):
        ref, robot = (getattr(state, f"{name}_w").flatten(2) for state in (recording.ref, recording.robot))
        values[f"body_{name}_corr"] = reductions.correlation(ref, robot, running)
    return values


def _effort(recording: Recording, running: Tensor, root_body: str, robot: RobotModel | None) -> dict[str, Tensor]:
    values = {
        "action_rate": effort.action_rate(recording.actions, running),
        "joint_jerk": effort.joint_jerk(recording.joint_vel, running, recording.step_dt),
    }
    if recording.joint_torque is None:
        return values
    power = effort.mean_power(recording.joint_torque, recording.joint_vel, running)
    values["mean_power"] = power
    if robot is not None:
        root_pos_w = recording.robot.pos_w[:, :, recording.body_names.index(root_body)]
        values["cost_of_transport"] = effort.cost_of_transport(
            power, root_pos_w, running, robot.total_mass, recording.step_dt
        )
    return values


def _contacts(recording: Recording, running: Tensor, robot: RobotModel) -> dict[str, Tensor]:
    states = (recording.ref, recording.robot)
    ref, own = [sole_heights(robot, recording.body_names, state.pos_w, state.quat_w) for state in states]
    agreement = contact_agreement(ref, own, running, recording.step_dt)
    return {
        "contact_precision": agreement.precision,
        "contact_recall": agreement.recall,
        "contact_offset_ms": agreement.offset * 1000.0,
    }
