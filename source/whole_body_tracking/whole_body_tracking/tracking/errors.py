"""Errors between a robot and its reference: pure functions of tensors, no simulator.

Rewards, terminations, metrics, evaluation and sim2sim all call these. Quaternions are (x, y, z, w), unit; ``_w`` is the
world frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from whole_body_tracking.motion.geometry.rotations import quat_conjugate, quat_mul, quat_rotate


@dataclass
class BodyState:
    """Poses and velocities of the tracked bodies in the world frame; velocities are those of the link frame."""

    pos_w: Tensor
    """Positions [m], shape [num_envs, num_bodies, 3]."""
    quat_w: Tensor
    """Orientations (x, y, z, w), shape [num_envs, num_bodies, 4]."""
    lin_vel_w: Tensor
    """Linear velocities [m/s], shape [num_envs, num_bodies, 3]."""
    ang_vel_w: Tensor
    """Angular velocities [rad/s], shape [num_envs, num_bodies, 3]."""


@dataclass
class TrackingErrors:
    """Squared errors between robot and reference at one instant."""

    anchor_pos: Tensor
    """Anchor position [m^2], shape [num_envs]."""
    anchor_ori: Tensor
    """Anchor orientation [rad^2], shape [num_envs]."""
    body_pos: Tensor
    """Body positions after re-anchoring [m^2], shape [num_envs, num_bodies]."""
    body_ori: Tensor
    """Body orientations after re-anchoring [rad^2], shape [num_envs, num_bodies]."""
    body_lin_vel: Tensor
    """Body linear velocities [(m/s)^2], shape [num_envs, num_bodies]."""
    body_ang_vel: Tensor
    """Body angular velocities [(rad/s)^2], shape [num_envs, num_bodies]."""


def squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """Squared Euclidean distance over the last dimension."""
    return (a - b).square().sum(-1)


def squared_angle(a: Tensor, b: Tensor) -> Tensor:
    """Squared angle [rad^2] of the rotation between two orientations, the same for q and -q."""
    between = quat_mul(a, quat_conjugate(b))
    return (2.0 * torch.atan2(between[..., :3].norm(dim=-1), between[..., 3].abs())).square()


def exp_kernel(squared_error: Tensor, std: float) -> Tensor:
    """Map a squared error to (0, 1]: exp(-squared_error / std^2)."""
    return torch.exp(squared_error * (-1.0 / std**2))


def yaw_twist(quat: Tensor) -> Tensor:
    """Rotation about the vertical contained in ``quat`` (swing-twist decomposition), shape [..., 4].

    Unlike the yaw of Euler angles it is unchanged by Z q Z^-1 for any turn Z about the vertical, so errors built on it
    do not depend on which way robot and reference head together. Identity where the rotation has no vertical part.
    """
    twist, identity = torch.zeros_like(quat), torch.zeros_like(quat)
    twist[..., 2:], identity[..., 3] = quat[..., 2:], 1.0
    norm = twist.norm(dim=-1, keepdim=True)
    return torch.where(norm > 1e-6, twist / norm.clamp(min=1e-6), identity)


def anchor_relative_targets(
    ref_pos_w: Tensor, ref_quat_w: Tensor, ref_anchor_pos_w: Tensor, ref_anchor_quat_w: Tensor,
    robot_anchor_pos_w: Tensor, robot_anchor_quat_w: Tensor,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Move the reference bodies to where the robot stands and heads.

    With the robot's anchor (p, q) and the reference's (p*, q*): d = (p_x, p_y, p*_z), D = yaw(q q*^-1), and a body
    (b, r) becomes (d + D (b - p*), D r) (BeyondMimic, arXiv 2508.08241). Height, roll and pitch stay those of the
    reference; yaw() is :func:`yaw_twist`.

    Args:
        ref_pos_w: Reference body positions [m], shape [num_envs, num_bodies, 3].
        ref_quat_w: Reference body orientations, shape [num_envs, num_bodies, 4].
        ref_anchor_pos_w: Reference anchor position [m], shape [num_envs, 3].
        ref_anchor_quat_w: Reference anchor orientation, shape [num_envs, 4].
        robot_anchor_pos_w: Robot anchor position [m], shape [num_envs, 3].
        robot_anchor_quat_w: Robot anchor orientation, shape [num_envs, 4].

    Returns:
        Target positions [m] and orientations, shaped like the first two arguments.
    """
    heading = yaw_twist(quat_mul(robot_anchor_quat_w, quat_conjugate(ref_anchor_quat_w)))
    heading = heading[:, None].expand_as(ref_quat_w)
    origin = torch.cat((robot_anchor_pos_w[:, :2], ref_anchor_pos_w[:, 2:]), dim=-1)
    pos_w = origin[:, None] + quat_rotate(heading, ref_pos_w - ref_anchor_pos_w[:, None])
    return pos_w, quat_mul(heading, ref_quat_w)


def tracking_errors(ref: BodyState, robot: BodyState, anchor_idx: int) -> TrackingErrors:
    """Every error of the task at one instant.

    Args:
        ref: Reference bodies.
        robot: Robot bodies, in the same order.
        anchor_idx: Index of the anchor among the bodies.
    """
    target_pos_w, target_quat_w = anchor_relative_targets(
        ref.pos_w,
        ref.quat_w,
        ref.pos_w[:, anchor_idx],
        ref.quat_w[:, anchor_idx],
        robot.pos_w[:, anchor_idx],
        robot.quat_w[:, anchor_idx],
    )
    return TrackingErrors(
        anchor_pos=squared_distance(ref.pos_w[:, anchor_idx], robot.pos_w[:, anchor_idx]),
        anchor_ori=squared_angle(ref.quat_w[:, anchor_idx], robot.quat_w[:, anchor_idx]),
        body_pos=squared_distance(target_pos_w, robot.pos_w),
        body_ori=squared_angle(target_quat_w, robot.quat_w),
        body_lin_vel=squared_distance(ref.lin_vel_w, robot.lin_vel_w),
        body_ang_vel=squared_distance(ref.ang_vel_w, robot.ang_vel_w),
    )


def projected_gravity_z(quat_w: Tensor) -> Tensor:
    """z component of the unit gravity vector in the body frame, shape [...]: -1 upright, +1 upside down."""
    return 2.0 * quat_w[..., :2].square().sum(-1) - 1.0


def rotation_columns(quat: Tensor) -> Tensor:
    """First two columns of the rotation matrix, row by row, shape [..., 6] (Zhou et al., CVPR 2019).

    With a unit q = (x, y, z, w) the columns are 2 x (x, y, z) + 2 w (w, z, -y) - (1, 0, 0) and
    2 y (x, y, z) + 2 w (-z, w, x) - (0, 1, 0).
    """
    (x, _, z, w), (_, minus_y, minus_z, _) = quat.unbind(-1), (-quat).unbind(-1)
    others = torch.stack((w, minus_z, z, w, minus_y, x), dim=-1).unflatten(-1, (3, 2))
    half = (quat[..., :3, None] * quat[..., None, :2]).addcmul(others, quat[..., 3:, None])
    columns = 2.0 * half
    columns.diagonal(dim1=-2, dim2=-1).sub_(1.0)
    return columns.flatten(-2)


def in_frame(pos_w: Tensor, quat_w: Tensor, frame_pos_w: Tensor, frame_quat_w: Tensor) -> tuple[Tensor, Tensor]:
    """Poses as seen from a frame.

    Args:
        pos_w: Positions in the world [m], shape [..., 3].
        quat_w: Orientations in the world, shape [..., 4].
        frame_pos_w: Origin of the frame [m], broadcast to the positions' shape.
        frame_quat_w: Orientation of the frame, broadcast to the orientations' shape.

    Returns:
        Positions [m] and orientations in the frame, shaped like the first two arguments.
    """
    inverse = quat_conjugate(frame_quat_w).expand_as(quat_w)
    return quat_rotate(inverse, pos_w - frame_pos_w), quat_mul(inverse, quat_w)


def has_diverged(errors: TrackingErrors) -> Tensor:
    """Whether a pose or velocity of each env's bodies is NaN or Inf, told from its errors, shape [num_envs]."""
    per_body = errors.body_pos + errors.body_ori + errors.body_lin_vel + errors.body_ang_vel
    total = per_body.sum(-1) + errors.anchor_pos + errors.anchor_ori
    return ~(total < torch.inf)  # squares are never -inf, and a NaN is not below anything
