"""Tracking reward and failures of a recording, by the rules of :mod:`whole_body_tracking.tracking.criteria`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from whole_body_tracking.evaluation.recording import Recording
from whole_body_tracking.tracking.criteria import (
    HEIGHT_THRESHOLD,
    TILT_THRESHOLD,
    any_height_fails,
    height_fails,
    tilt_fails,
)
from whole_body_tracking.tracking.errors import TrackingErrors, exp_kernel

if TYPE_CHECKING:
    from whole_body_tracking.tasks.tracking.tracking_env_cfg import RewardsCfg, TerminationsCfg


def tracking_terms(errors: TrackingErrors, rewards: RewardsCfg) -> dict[str, Tensor]:
    """The six tracking kernels by name, each in (0, 1], shape [num_steps, num_rollouts]."""
    squared = {
        "motion_global_anchor_pos": errors.anchor_pos,
        "motion_global_anchor_ori": errors.anchor_ori,
        "motion_body_pos": errors.body_pos.mean(-1),
        "motion_body_ori": errors.body_ori.mean(-1),
        "motion_body_lin_vel": errors.body_lin_vel.mean(-1),
        "motion_body_ang_vel": errors.body_ang_vel.mean(-1),
    }
    return {name: exp_kernel(value, getattr(rewards, name).params["std"]) for name, value in squared.items()}


def tracking_reward(errors: TrackingErrors, rewards: RewardsCfg) -> Tensor:
    """The six tracking terms as a share of their maximum, shape [num_steps, num_rollouts]."""
    terms = tracking_terms(errors, rewards)
    weights = {name: getattr(rewards, name).weight for name in terms}
    return sum(weights[name] * term for name, term in terms.items()) / sum(weights.values())


def task_failures(recording: Recording, terminations: TerminationsCfg) -> Tensor:
    """Whether a termination of the task holds at each step, shape [num_steps, num_rollouts]."""
    ref, robot, anchor = recording.ref, recording.robot, recording.anchor_idx
    height, ends = terminations.anchor_pos.params["threshold"], terminations.ee_body_pos.params
    end_bodies = [recording.body_names.index(name) for name in ends["body_names"]]
    failed = height_fails(ref, robot, anchor, height)
    failed |= tilt_fails(ref, robot, anchor, terminations.anchor_ori.params["threshold"])
    failed |= any_height_fails(ref, robot, end_bodies, ends["threshold"])
    return failed | recording.diverged


def lafan1_failures(recording: Recording, root_body: str) -> Tensor:
    """Whether the LAFAN1-40 criterion fails at each step, shape [num_steps, num_rollouts]."""
    ref, robot, root = recording.ref, recording.robot, recording.body_names.index(root_body)
    failed = height_fails(ref, robot, root, HEIGHT_THRESHOLD) | tilt_fails(ref, robot, root, TILT_THRESHOLD)
    return failed | recording.diverged
