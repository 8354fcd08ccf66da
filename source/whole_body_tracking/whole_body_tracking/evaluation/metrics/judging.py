"""What a recording is worth under the task's rewards, and where it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.evaluation.recording import Recording
from whole_body_tracking.tracking.errors import TrackingErrors, exp_kernel, projected_gravity_z

if TYPE_CHECKING:
    from whole_body_tracking.tasks.tracking.tracking_env_cfg import RewardsCfg, TerminationsCfg

LAFAN1_HEIGHT = 0.25
"""Height error of the root at which a clip fails under the LAFAN1-40 criterion [m]."""
LAFAN1_TILT = 0.8
"""Error of the root's projected gravity at which it fails."""


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
    anchor, names = recording.anchor_idx, terminations.ee_body_pos.params["body_names"]
    ends = [recording.body_names.index(name) for name in names]
    height_error = (recording.ref.pos_w[..., 2] - recording.robot.pos_w[..., 2]).abs()
    failed = height_error[..., anchor] > terminations.anchor_pos.params["threshold"]
    failed |= _gravity_error(recording, anchor) > terminations.anchor_ori.params["threshold"]
    failed |= (height_error[..., ends] > terminations.ee_body_pos.params["threshold"]).any(-1)
    return failed | ~torch.isfinite(recording.robot.pos_w).all(-1).all(-1)


def lafan1_failures(recording: Recording, root_body: str) -> Tensor:
    """Whether the LAFAN1-40 criterion fails at each step, shape [num_steps, num_rollouts]."""
    root = recording.body_names.index(root_body)
    height_error = (recording.ref.pos_w[..., root, 2] - recording.robot.pos_w[..., root, 2]).abs()
    finite = torch.isfinite(recording.robot.pos_w).all(-1).all(-1)
    return (height_error > LAFAN1_HEIGHT) | (_gravity_error(recording, root) > LAFAN1_TILT) | ~finite


def _gravity_error(recording: Recording, body: int) -> Tensor:
    ref_z = projected_gravity_z(recording.ref.quat_w[:, :, body])
    return (ref_z - projected_gravity_z(recording.robot.quat_w[:, :, body])).abs()
