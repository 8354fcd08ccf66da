"""Standing feet that stay where they are: the root's way of a predicted walk, from its legs."""

from __future__ import annotations

import numpy as np
import torch

from whole_body_tracking.motion.geometry.ground import foot_points
from whole_body_tracking.motion.geometry.kinematics import forward_kinematics
from whole_body_tracking.robots import RobotModel

from .layout import RootMotion

TOE_LENGTH = 0.005
"""How far behind the foremost point of a sole others still count as its toe [m]."""


def planted(robot: RobotModel, motion: RootMotion, phase: np.ndarray, double_support: np.ndarray) -> RootMotion:
    """Move the root so that the toes of the standing foot neither slide nor leave the ground.

    A network's root velocity and its joints fit each other within millimetres, which a stance of 40 frames adds up to
    centimetres. With r_f the middle of the front sole points of foot f relative to the root and w_f the foot's share of
    the support, the root's way is -sum of w_f dr_f from frame to frame, and its height -sum of w_f r_f.

    Args:
        robot: The robot.
        motion: What was predicted.
        phase: Of the cycle, 0 at the left foot's touchdown, shape [num_frames].
        double_support: Share of the time in which both feet stand, shape [num_frames].
    """
    toes = _toes(robot, motion)
    left = support_of_left(phase, double_support)[:, None, None]
    share = np.concatenate((left, 1.0 - left), axis=1)
    between = 0.5 * (share[1:] + share[:-1])
    steps = -(between * np.diff(toes[..., :2], axis=0)).sum(1)
    pos = motion.pos.copy()
    pos[1:, :2] = pos[0, :2] + np.cumsum(steps, axis=0)
    pos[:, 2] = -(share[..., 0] * toes[..., 2]).sum(1)
    return RootMotion(pos, motion.quat, motion.joint_pos)


def support_of_left(phase: np.ndarray, double_support: np.ndarray) -> np.ndarray:
    """Left foot's share of the support: 1 while it stands alone, linear while both stand, shape [num_frames].

    Both stand for half of ``double_support`` from each touchdown, at the phases 0 (left) and 0.5 (right).
    """
    both = 0.5 * double_support
    rising, falling = np.clip(phase / both, 0.0, 1.0), np.clip((phase - 0.5) / both, 0.0, 1.0)
    return rising - falling


def _toes(robot: RobotModel, motion: RootMotion) -> np.ndarray:
    """Middle of the front sole points of both feet relative to the root, world axes [m], shape [num_frames, 2, 3]."""
    quat, joints = torch.from_numpy(motion.quat).double(), torch.from_numpy(motion.joint_pos).double()
    at_origin = torch.zeros(len(quat), 3, dtype=torch.float64)
    points = foot_points(robot, *forward_kinematics(robot, at_origin, quat, joints)).numpy()
    return points[:, :, front_points(robot)].mean(2)


def front_points(robot: RobotModel) -> np.ndarray:
    """Which of the points under a foot are those of its front, shape [num_points]."""
    ahead = _ahead(robot)
    return ahead > ahead.mean()


def toe_points(robot: RobotModel) -> np.ndarray:
    """Which of them are the toe, about which a heel lifts: the foremost ones, shape [num_points]."""
    ahead = _ahead(robot)
    return ahead > ahead.max() - TOE_LENGTH


def _ahead(robot: RobotModel) -> np.ndarray:
    """How far the points under a foot are ahead of the pelvis when the robot stands [m], shape [num_points]."""
    origin, upright = torch.zeros(1, 3, dtype=torch.float64), torch.tensor([[0.0, 0.0, 0.0, 1.0]], dtype=torch.float64)
    joints = torch.zeros(1, robot.num_joints, dtype=torch.float64)
    return foot_points(robot, *forward_kinematics(robot, origin, upright, joints))[0, 0, :, 0].numpy()
