"""Points and frames of a robot with their Jacobians, for many poses at once.

The unknowns of a pose are, in this order, a translation of the root [m], a turn of the root as a rotation vector in the
world frame [rad], and the joint angles [rad].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from whole_body_tracking.robots import RobotModel

from .rotations import quat_exp, quat_mul

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
    rot: Tensor
    """Body orientations as matrices, shape [batch, num_bodies, 3, 3]."""
    axis: Tensor
    """Joint axes in the world frame, shape [batch, num_joints, 3]."""

    def __getitem__(self, index) -> BodyPoses:
        return BodyPoses(self.pos[index], self.rot[index], self.axis[index])

    def points(self, body_idx: Tensor, points: Tensor) -> Tensor:
        """World positions of points that are fixed to bodies [m], shape [batch, num_points, 3]."""
        return self.pos[:, body_idx] + (self.rot[:, body_idx] @ points[..., None]).squeeze(-1)


class Chain:
    """A robot's tree of joints.

    Its forward kinematics is that of :mod:`whole_body_tracking.motion.geometry.kinematics` with matrices, one level of
    the tree at a time: an eighth of the tensor operations, which is what a short clip's time goes into.
    """

    def __init__(self, robot: RobotModel):
        self.robot = robot
        self._axis = torch.from_numpy(robot.joint_axis)
        moves = np.zeros((robot.num_bodies, robot.num_joints))
        depth = np.zeros(robot.num_bodies, dtype=int)
        for body in range(1, robot.num_bodies):
            moves[body] = moves[robot.parent_idx[body]]
            moves[body, body - 1] = 1.0
            depth[body] = depth[robot.parent_idx[body]] + 1
        self._moves = torch.from_numpy(moves)
        # Turn by q about the axis a: 1 + sin q [a] + (1 - cos q) [a]^2, after the joint's own orientation. The fourth
        # column is the joint's place, which does not depend on q.
        cross = torch.linalg.cross(torch.eye(3).double().expand(robot.num_joints, 3, 3), self._axis[:, None])
        origin = torch.from_numpy(Rotation.from_quat(robot.joint_origin_quat).as_matrix())
        place = torch.from_numpy(robot.joint_origin_pos)[..., None]
        nowhere = torch.zeros_like(place)
        parts = ((origin, place), (origin @ cross, nowhere), (origin @ cross @ cross, nowhere))
        self._joint = tuple(torch.cat(part, dim=-1) for part in parts)
        self._levels = [self._level(depth, level) for level in range(1, depth.max() + 1)]

    def _level(self, depth: np.ndarray, level: int) -> tuple[Tensor, Tensor, Tensor]:
        """Bodies at a depth of the tree, their parents and their joints."""
        bodies = np.flatnonzero(depth == level)
        return tuple(map(torch.from_numpy, (bodies, self.robot.parent_idx[bodies], bodies - 1)))

    @property
    def num_unknowns(self) -> int:
        return NUM_ROOT + self.robot.num_joints

    def body_poses(self, poses: Poses) -> BodyPoses:
        """Forward kinematics."""
        sin, cos = poses.joint_pos.sin()[..., None, None], poses.joint_pos.cos()[..., None, None]
        local = self._joint[0] + sin * self._joint[1] + (1.0 - cos) * self._joint[2]
        frames = local.new_empty(len(poses), self.robot.num_bodies, 3, 4)
        frames[:, 0, :, :3], frames[:, 0, :, 3] = matrix_from_quat(poses.root_quat), poses.root_pos
        for bodies, parents, joints in self._levels:
            above = frames[:, parents]
            below = above[..., :3] @ local[:, joints]
            below[..., 3] += above[..., 3]
            frames[:, bodies] = below
        rot = frames[..., :3].contiguous()
        return BodyPoses(frames[..., 3].contiguous(), rot, (rot[:, 1:] @ self._axis[..., None]).squeeze(-1))

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


def matrix_from_quat(quat: Tensor) -> Tensor:
    """Rotation matrices of unit quaternions (x, y, z, w), shape [..., 3, 3]."""
    x, y, z, w = quat.unbind(-1)
    rows = (
        *(1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)),
        *(2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)),
        *(2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)),
    )
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def log_matrix(rot: Tensor) -> Tensor:
    """Rotation vectors of matrices [rad], shape [..., 3]: sin(angle) axis is half of what makes the matrix
    asymmetric; at half a turn, where that is zero, the result is zero too."""
    sine = 0.5 * torch.stack(
        (rot[..., 2, 1] - rot[..., 1, 2], rot[..., 0, 2] - rot[..., 2, 0], rot[..., 1, 0] - rot[..., 0, 1]), dim=-1
    )
    norm = sine.norm(dim=-1, keepdim=True)
    cosine = 0.5 * (rot.diagonal(dim1=-2, dim2=-1).sum(-1, keepdim=True) - 1.0)
    return sine * torch.where(norm > 1e-9, torch.atan2(norm, cosine) / norm.clamp(min=1e-12), 1.0)
