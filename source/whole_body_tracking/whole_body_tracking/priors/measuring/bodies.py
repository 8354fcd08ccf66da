"""Errors of the bodies that predicted states put in the world, by forward kinematics."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from whole_body_tracking.motion.analysis.quality import CONTACT_HEIGHT
from whole_body_tracking.motion.geometry.ground import sole_heights
from whole_body_tracking.motion.geometry.kinematics import forward_kinematics
from whole_body_tracking.robots import RobotModel

from ..state import StateLayout, root_path

BENCHMARK_FRAMES = (5, 15, 30)
"""Lengths for which L2P, L2Q and NPSS are usually given."""


@dataclass(frozen=True)
class Poses:
    """Bodies along rollouts."""

    pos_w: Tensor
    """[m], shape [num_rollouts, num_frames, num_bodies, 3]."""
    quat_w: Tensor
    """(x, y, z, w), shape [num_rollouts, num_frames, num_bodies, 4]."""


def body_poses(states: Tensor, root_pos: Tensor, root_quat: Tensor, layout: StateLayout, robot: RobotModel) -> Poses:
    """Bodies of states, shape [num_rollouts, num_frames, dim], that start after a root pose."""
    pos, quat = root_path(states, root_pos, root_quat, layout)
    order = [layout.joint_names.index(name) for name in robot.joint_names]
    joints = states[..., layout.slices["joint_pos"]][..., order]
    body_pos, body_quat = forward_kinematics(robot, pos.flatten(0, 1), quat.flatten(0, 1), joints.flatten(0, 1))
    shape = states.shape[:2]
    return Poses(body_pos.unflatten(0, shape), body_quat.unflatten(0, shape))


def l2p(predicted: Poses, truth: Poses, num_frames: int) -> float:
    """Mean over rollouts and frames of the norm of all bodies' position differences [m] (LAFAN1's, not normalised)."""
    difference = (predicted.pos_w - truth.pos_w)[:, :num_frames]
    return float(difference.flatten(2).norm(dim=-1).mean())


def l2q(predicted: Poses, truth: Poses, num_frames: int) -> float:
    """Mean over rollouts and frames of the norm of all bodies' quaternion differences, on one hemisphere (LAFAN1's)."""
    a, b = predicted.quat_w[:, :num_frames], truth.quat_w[:, :num_frames]
    sign = torch.where((a * b).sum(-1, keepdim=True) < 0.0, -1.0, 1.0)
    return float((sign * a - b).flatten(2).norm(dim=-1).mean())


def foot_skate(poses: Poses, robot: RobotModel, fps: float) -> float:
    """Mean horizontal speed of feet whose sole is below 2 cm in this frame and the last [m/s]; NaN if none is."""
    feet = [robot.body_names.index(name) for name in robot.foot_body_names]
    low = sole_heights(robot, list(robot.body_names), poses.pos_w, poses.quat_w) < CONTACT_HEIGHT
    speed = poses.pos_w[:, :, feet, :2].diff(dim=1).norm(dim=-1) * fps
    both = low[:, 1:] & low[:, :-1]
    return float(speed[both].mean()) if bool(both.any()) else float("nan")
