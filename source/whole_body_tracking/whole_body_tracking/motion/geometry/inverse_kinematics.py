"""Whole-body inverse kinematics for all frames of a motion at once: feet, centre of mass, torso and posture.

Each frame is a weighted least-squares problem over the root pose and the joints; frames are independent, so a smooth
set of targets gives a smooth motion. Solved by damped Gauss-Newton, J dx = -r with J by central differences, joints
kept inside their limits by projection.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from whole_body_tracking.robots import RobotModel

from .kinematics import center_of_mass, forward_kinematics
from .rotations import quat_conjugate, quat_exp, quat_log, quat_mul

STEP = 1e-6
"""Step of the central differences [m, rad]."""
DAMPING = 1e-6
"""Added to the diagonal of the normal equations."""
CONVERGED = 1e-9
"""A step below this ends the iteration [m, rad]."""


@dataclass(frozen=True)
class PoseTargets:
    """Targets of each frame. All tensors are float64, shape [num_frames, ...], in the world frame."""

    foot_pos: Tensor
    """Positions of the foot frames [m], shape [num_frames, 2, 3], in the order of ``robot.foot_body_names``."""
    foot_quat: Tensor
    """Orientations of the foot frames (x, y, z, w), shape [num_frames, 2, 4]."""
    com_xy: Tensor
    """Projection of the centre of mass [m], shape [num_frames, 2]."""
    root_height: Tensor
    """Height of the root [m], shape [num_frames]."""
    torso_quat: Tensor
    """Orientation of the anchor body (x, y, z, w), shape [num_frames, 4]."""
    joint_pos: Tensor
    """Posture that is followed where nothing else asks [rad], shape [num_frames, num_joints]."""


@dataclass(frozen=True)
class PoseWeights:
    """Weight of each residual, per metre or radian."""

    foot: float = 1000.0
    com: float = 100.0
    root_height: float = 30.0
    torso: float = 10.0
    waist: float = 5.0
    """Posture of the waist joints, so that a leaning torso bends the hips first."""
    posture: float = 0.3
    """Posture of the other joints; the arms, which no other target moves much, follow it closely."""


@dataclass(frozen=True)
class Poses:
    """A solved motion."""

    root_pos: Tensor
    """Root positions [m], shape [num_frames, 3]."""
    root_quat: Tensor
    """Root orientations (x, y, z, w), shape [num_frames, 4]."""
    joint_pos: Tensor
    """Joint positions [rad], shape [num_frames, num_joints]."""


def solve_poses(
    robot: RobotModel,
    targets: PoseTargets,
    weights: PoseWeights | None = None,
    limit_margin: float = 0.05,
    num_iterations: int = 12,
) -> Poses:
    """Poses that reach the targets as well as the weights allow, starting from the posture above the feet.

    Args:
        robot: The robot.
        targets: What to reach.
        weights: How much each target counts.
        limit_margin: Distance that joints keep from their limits [rad].
        num_iterations: Gauss-Newton steps.
    """
    weights = weights or PoseWeights()
    lower, upper = torch.as_tensor(robot.joint_pos_limits).T
    poses = _initial(targets)
    for _ in range(num_iterations):
        residual, jacobian = _linearise(robot, targets, weights, poses)
        normal = jacobian.mT @ jacobian + DAMPING * torch.eye(jacobian.shape[-1], dtype=jacobian.dtype)
        step = -torch.linalg.solve(normal, (jacobian.mT @ residual[..., None]).squeeze(-1))
        poses = _moved(poses, step)
        inside = poses.joint_pos.clamp(lower + limit_margin, upper - limit_margin)
        poses = Poses(poses.root_pos, poses.root_quat, inside)
        if step.abs().max() < CONVERGED:
            break
    return poses


def _initial(targets: PoseTargets) -> Poses:
    root_pos = torch.cat((targets.foot_pos.mean(1)[:, :2], targets.root_height[:, None]), dim=-1)
    root_quat = torch.zeros_like(targets.torso_quat)
    root_quat[:, 3] = 1.0
    return Poses(root_pos, root_quat, targets.joint_pos.clone())


def _moved(poses: Poses, step: Tensor) -> Poses:
    """Poses after a step of root translation, root rotation vector and joints, shape [..., 6 + num_joints]."""
    return Poses(
        poses.root_pos + step[..., :3],
        quat_mul(quat_exp(step[..., 3:6]), poses.root_quat),
        poses.joint_pos + step[..., 6:],
    )


def _linearise(robot: RobotModel, targets: PoseTargets, weights: PoseWeights, poses: Poses) -> tuple[Tensor, Tensor]:
    """Residuals, shape [num_frames, num_residuals], and their Jacobian, shape [num_frames, num_residuals, num_dof]."""
    num_frames, num_dof = len(poses.root_pos), 6 + robot.num_joints
    identity = torch.eye(num_dof, dtype=torch.float64)
    steps = STEP * torch.cat((identity, -identity, torch.zeros(1, num_dof, dtype=torch.float64)))

    def repeated(item):
        return type(item)(
            **{key: value.repeat(len(steps), *[1] * (value.ndim - 1)) for key, value in vars(item).items()}
        )

    # All perturbed copies of all frames in one batch of forward kinematics.
    moved = _moved(repeated(poses), steps.repeat_interleave(num_frames, dim=0))
    residuals = _residuals(robot, repeated(targets), weights, moved).view(len(steps), num_frames, -1)
    plus, minus, here = residuals.split((num_dof, num_dof, 1))
    return here[0], ((plus - minus) / (2.0 * STEP)).permute(1, 2, 0)


def _residuals(robot: RobotModel, targets: PoseTargets, weights: PoseWeights, poses: Poses) -> Tensor:
    body_pos, body_quat = forward_kinematics(robot, poses.root_pos, poses.root_quat, poses.joint_pos)
    feet = [robot.body_names.index(name) for name in robot.foot_body_names]
    anchor = robot.body_names.index(robot.anchor_body_name)
    parts = (
        (weights.foot, (body_pos[:, feet] - targets.foot_pos).flatten(1)),
        (weights.foot, _rotation_error(body_quat[:, feet], targets.foot_quat).flatten(1)),
        (weights.com, center_of_mass(robot, body_pos, body_quat)[:, :2] - targets.com_xy),
        (weights.root_height, poses.root_pos[:, 2:] - targets.root_height[:, None]),
        (weights.torso, _rotation_error(body_quat[:, anchor], targets.torso_quat)),
        (_posture_weights(robot, weights), poses.joint_pos - targets.joint_pos),
    )
    return torch.cat([weight * error for weight, error in parts], dim=-1)


def _posture_weights(robot: RobotModel, weights: PoseWeights) -> Tensor:
    return torch.tensor([weights.waist if "waist" in name else weights.posture for name in robot.joint_names]).double()


def _rotation_error(quat: Tensor, target: Tensor) -> Tensor:
    return quat_log(quat_mul(quat, quat_conjugate(target)))
