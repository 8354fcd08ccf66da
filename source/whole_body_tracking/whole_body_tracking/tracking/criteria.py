"""Failure criteria and reward kernels of tracking: their numbers and rules, once for all users.

The task's config, its termination terms, the evaluation and sim2sim all read them here. Nothing imports a simulator.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from whole_body_tracking.robots import RobotModel

from .errors import BodyState, TrackingErrors, exp_kernel, projected_gravity_z

HEIGHT_THRESHOLD = 0.25
"""Error of a height above which tracking has failed [m] (BeyondMimic's task, and the LAFAN1-40 benchmark)."""
TILT_THRESHOLD = 0.8
"""Error of the projected gravity's z component above which it has failed, in [0, 2] (both as well)."""
DRIFT_THRESHOLD = 0.4
"""Horizontal error of the anchor at which ``presets=end_drift`` ends an episode [m]; evaluation never does."""

SMALL_PERTURBATION = {
    "pose_range": {"x": (-0.01, 0.01), "y": (-0.01, 0.01), "roll": (-0.02, 0.02), "pitch": (-0.02, 0.02)},
    "velocity_range": {axis: (-0.05, 0.05) for axis in ("x", "y", "z", "roll", "pitch", "yaw")},
    "joint_position_range": (-0.02, 0.02),
}
"""Noise on the start state of an evaluation [m, rad, m/s, rad/s]; without any, all envs are copies of one."""


@dataclass(frozen=True)
class Term:
    """One reward or termination, shaped like a term of an Isaac Lab config."""

    params: dict
    weight: float = 0.0


@dataclass(frozen=True)
class TrackingRewards:
    """The six tracking kernels; ``std`` in [m], [rad], [m/s] and [rad/s]."""

    motion_global_anchor_pos: Term = Term({"std": 0.3}, 0.5)
    motion_global_anchor_ori: Term = Term({"std": 0.4}, 0.5)
    motion_body_pos: Term = Term({"std": 0.3}, 1.0)
    motion_body_ori: Term = Term({"std": 0.4}, 1.0)
    motion_body_lin_vel: Term = Term({"std": 1.0}, 1.0)
    motion_body_ang_vel: Term = Term({"std": 3.14}, 1.0)


@dataclass(frozen=True)
class TrackingTerminations:
    """Failure criteria: the anchor's height and tilt, and the height of an end effector."""

    anchor_pos: Term
    anchor_ori: Term
    ee_body_pos: Term

    @classmethod
    def of_robot(cls, robot: RobotModel) -> TrackingTerminations:
        """Build the task's terminations for a robot's end effectors."""
        return cls(
            anchor_pos=Term({"threshold": HEIGHT_THRESHOLD}),
            anchor_ori=Term({"threshold": TILT_THRESHOLD}),
            ee_body_pos=Term({"threshold": HEIGHT_THRESHOLD, "body_names": list(robot.end_effector_names)}),
        )


def tracking_terms(errors: TrackingErrors, rewards: TrackingRewards) -> dict[str, Tensor]:
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


def tracking_reward(errors: TrackingErrors, rewards: TrackingRewards) -> Tensor:
    """The six tracking terms as a share of their maximum, shape [num_steps, num_rollouts]."""
    terms = tracking_terms(errors, rewards)
    weights = {name: getattr(rewards, name).weight for name in terms}
    return sum(weights[name] * term for name, term in terms.items()) / sum(weights.values())


def height_fails(ref: BodyState, robot: BodyState, body: int, threshold: float) -> Tensor:
    """Whether a body's height is off by more than ``threshold`` [m], shape of the states without bodies."""
    return (ref.pos_w[..., body, 2] - robot.pos_w[..., body, 2]).abs() > threshold


def drift_fails(ref: BodyState, robot: BodyState, body: int, threshold: float) -> Tensor:
    """Whether a body is off by more than ``threshold`` [m] in the horizontal plane, shape without bodies."""
    return (ref.pos_w[..., body, :2] - robot.pos_w[..., body, :2]).norm(dim=-1) > threshold


def any_height_fails(ref: BodyState, robot: BodyState, bodies: Tensor | list[int], threshold: float) -> Tensor:
    """Whether the height of any of several bodies is off by more than ``threshold`` [m].

    Re-anchoring keeps the reference's heights, so this is also the error relative to the anchor.
    """
    return ((ref.pos_w[..., bodies, 2] - robot.pos_w[..., bodies, 2]).abs() > threshold).any(-1)


def tilt_fails(ref: BodyState, robot: BodyState, body: int, threshold: float) -> Tensor:
    """Whether the z component of gravity in a body's frame is off by more than ``threshold``, in [0, 2]."""
    ref_z = projected_gravity_z(ref.quat_w[..., body, :])
    return (ref_z - projected_gravity_z(robot.quat_w[..., body, :])).abs() > threshold


def not_finite(robot: BodyState) -> Tensor:
    """Whether any position of a state is NaN or infinite, which counts as a failure."""
    return ~torch.isfinite(robot.pos_w).all(-1).all(-1)
