"""Points and frames of a robot with their Jacobians, for many poses at once.

The unknowns of a pose are, in this order, a translation of the root [m], a turn of the root as a rotation vector in the
world frame [rad], and the joint angles [rad].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from whole_body_tracking.motion.kinematics import forward_kinematics
from whole_body_tracking.motion.rotations import quat_exp, quat_mul, quat_rotate
from whole_body_tracking.robots import RobotModel

NUM_ROOT = 6
"""Unknowns of the root."""


@dataclass(frozen=True)
class Poses:
    """Poses of a robot. Tensors are float64."""

    root_pos: Tensor
    """[m], shape [batch, 3]."""
    root_quat: Tensor
    """(x, y, z, w), shape [batch, 4]."""
    joint_pos: Tensor
    """[rad], shape [batch, num_joints]."""

    def __len__(self) -> int:
        return len(self.joint_pos)

    def __getitem__(self, index) -> Poses:
        return Poses(self.root_pos[index], self.root_quat[index], self.joint_pos[index])

    def moved(self, step: Tensor) -> Poses:
        """The poses after a step of the unknowns, shape [batch, 6 + num_joints]."""
        root_quat = torch.nn.functional.normalize(quat_mul(quat_exp(step[:, 3:6]), self.root_quat), dim=-1)
        return Poses(self.root_pos + step[:, :3], root_quat, self.joint_pos + step[:, NUM_ROOT:])


@dataclass(frozen=True)
class BodyPoses:
    """Body poses and joint axes that belong to poses."""

    pos: Tensor
    """Body positions [m], shape [batch, num_bodies, 3]."""
    quat: Tensor
    """Body orientations (x, y, z, w), shape [batch, num_bodies, 4]."""
    axis: Tensor
    """Joint axes in the world frame, shape [batch, num_joints, 3]."""


class Chain:
    """A robot's tree of joints."""

    def __init__(self, robot: RobotModel):
        self.robot = robot
        self._axis = torch.from_numpy(robot.joint_axis)
        moves = np.zeros((robot.num_bodies, robot.num_joints))
        for body in range(1, robot.num_bodies):
            moves[body] = moves[robot.parent_idx[body]]
            moves[body, body - 1] = 1.0
        self._moves = torch.from_numpy(moves)

    @property
    def num_unknowns(self) -> int:
        return NUM_ROOT + self.robot.num_joints

    def body_poses(self, poses: Poses) -> BodyPoses:
        pos, quat = forward_kinematics(self.robot, poses.root_pos, poses.root_quat, poses.joint_pos)
        return BodyPoses(pos, quat, quat_rotate(quat[:, 1:], self._axis))

    def body_indices(self, names: Sequence[str]) -> Tensor:
        return torch.tensor([self.robot.body_names.index(name) for name in names])

    def point_jacobians(self, bodies: BodyPoses, body_idx: Tensor, points_w: Tensor) -> Tensor:
        """Derivatives of points that are fixed to bodies.

        Args:
            bodies: The poses.
            body_idx: Body of each point, shape [num_points] or [batch, num_points].
            points_w: Positions [m], shape [batch, num_points, 3].

        Returns:
            Shape [batch, num_points, 3, 6 + num_joints].
        """
        batch, count = points_w.shape[:2]
        jacobian = points_w.new_zeros(batch, count, 3, self.num_unknowns)
        for k in range(3):
            jacobian[:, :, k, k] = 1.0
        # d(turn x arm): column k is e_k x arm.
        arm = points_w - bodies.pos[:, :1]
        for row, column, entry, sign in _CROSS:
            jacobian[:, :, row, 3 + column] = sign * arm[..., entry]
        moves = self._moves[body_idx]
        axis, origin = bodies.axis[:, None], bodies.pos[:, None, 1:]
        for row, (j, k) in enumerate(((1, 2), (2, 0), (0, 1))):
            lever_k, lever_j = points_w[..., k, None] - origin[..., k], points_w[..., j, None] - origin[..., j]
            jacobian[:, :, row, NUM_ROOT:] = (axis[..., j] * lever_k - axis[..., k] * lever_j) * moves
        return jacobian

    def turn_jacobians(self, bodies: BodyPoses, body_idx: Tensor) -> Tensor:
        """Derivatives of the turns of bodies as rotation vectors in the world frame, shape [batch, n, 3, unknowns]."""
        batch, count = len(bodies.pos), len(body_idx)
        jacobian = bodies.pos.new_zeros(batch, count, 3, self.num_unknowns)
        for k in range(3):
            jacobian[:, :, k, 3 + k] = 1.0
        jacobian[..., NUM_ROOT:] = bodies.axis.mT[:, None] * self._moves[body_idx][:, None]
        return jacobian


_CROSS = ((1, 0, 2, -1.0), (2, 0, 1, 1.0), (0, 1, 2, 1.0), (2, 1, 0, -1.0), (0, 2, 1, -1.0), (1, 2, 0, 1.0))
"""Row, column, entry of the arm and sign of the matrix whose column k is e_k x arm."""
