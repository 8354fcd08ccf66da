"""The least-squares problem of a motion: residuals of each frame and their normal equations.

cost = sum over frames of |w (point - target)|^2 + |w log(R R*^-1)|^2 + |w (q - posture)|^2 + |w depth|^2
     + sum over frames of |w_a (x[t+1] - 2 x[t] + x[t-1])|^2
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from whole_body_tracking.motion.geometry.chain import NUM_ROOT, Poses, log_matrix, matrix_from_quat

from ..figure import FRAMES, RobotFigure
from ..targets import Targets
from .self_collision import Capsules, add_overlaps
from .soles import add_sunk


@dataclass(frozen=True)
class RetargetWeights:
    """How much residuals count, per metre or radian."""

    point: tuple[tuple[str, float], ...] = (
        *(("pelvis", 6.0), ("head", 2.0), ("shoulder", 2.0), ("elbow", 4.0), ("wrist", 8.0), ("hand", 2.0)),
        *(("knee", 4.0), ("heel", 10.0), ("toe", 10.0)),
    )
    """Points by the end of their name."""
    contact: float = 40.0
    """Heels and toes that stand."""
    sink: float = 30.0
    """Depth of the soles below the ground."""
    frame: tuple[tuple[str, float], ...] = (("pelvis", 3.0), ("chest", 3.0), ("foot", 0.6))
    """Orientations by the end of their name."""
    posture: float = 0.12
    """Distance of joints from the default pose; it decides where no target does."""
    smoothness: float = 1.5
    """Second differences of the unknowns at 50 frames per second."""
    overlap: float = 25.0
    """Depth by which capsules overlap."""


@dataclass
class Normal:
    """Normal equations of the frames, without smoothness."""

    hessian: Tensor
    """J^T J, shape [num_frames, num_unknowns, num_unknowns]."""
    gradient: Tensor
    """J^T r, shape [num_frames, num_unknowns]."""
    cost: Tensor
    """r^T r, shape [num_frames]."""


class Problem:
    """Residuals of all frames of a motion."""

    def __init__(self, figure: RobotFigure, targets: Targets, weights: RetargetWeights, capsules: Capsules | None):
        self.chain = figure.chain
        self.weights, self._capsules = weights, capsules
        self.point_names = list(targets.pos)
        self._point_bodies = self.chain.body_indices([figure.bodies[name] for name in self.point_names])
        self._points = torch.tensor([figure.points[name].tolist() for name in self.point_names]).double()
        self._frame_bodies = self.chain.body_indices([figure.frames[name] for name in FRAMES])
        self._target_pos = torch.stack([targets.pos[name] for name in self.point_names], dim=1)
        self._target_quat = torch.stack([targets.quat[name] for name in FRAMES], dim=1)
        self._target_rot = matrix_from_quat(self._target_quat)
        self._point_weight = self._weights_of_points(targets)
        self._frame_weight = torch.tensor([by_ending(weights.frame, name) for name in FRAMES]).double()
        self._soles, self._floor = figure.soles, targets.floor
        self._posture = torch.from_numpy(figure.robot.default_joint_pos)

    @property
    def num_frames(self) -> int:
        return len(self._target_pos)

    def initial(self, index=slice(None)) -> Poses:
        """The pelvis at its target, the joints in the default pose."""
        quat = self._target_quat[index, FRAMES.index("pelvis")]
        pos = self._target_pos[index, self.point_names.index("pelvis")]
        return Poses(pos.clone(), quat.clone(), self._posture.repeat(len(pos), 1))

    def linearize(self, poses: Poses, index=slice(None), overlaps: bool = True) -> Normal:
        """Normal equations at these poses of the frames ``index``, with or without overlapping capsules."""
        bodies = self.chain.body_poses(poses)
        points_w = bodies.points(self._point_bodies, self._points)
        weight = self._point_weight[index][..., None]
        turn = log_matrix(bodies.rot[:, self._frame_bodies] @ self._target_rot[index].mT)
        posture = self.weights.posture * (poses.joint_pos - self._posture)
        jacobian = torch.cat(
            (
                self.chain.point_jacobians(bodies, self._point_bodies, points_w).mul_(weight[..., None]),
                self.chain.turn_jacobians(bodies, self._frame_bodies).mul_(self._frame_weight[:, None, None]),
            ),
            dim=1,
        ).flatten(1, 2)
        residual = torch.cat(
            ((points_w - self._target_pos[index]) * weight, turn * self._frame_weight[:, None]), dim=1
        ).flatten(1)
        hessian = jacobian.mT @ jacobian
        gradient = (jacobian.mT @ residual[..., None]).squeeze(-1)
        hessian.diagonal(dim1=1, dim2=2)[:, NUM_ROOT:] += self.weights.posture**2
        gradient[:, NUM_ROOT:] += self.weights.posture * posture
        normal = Normal(hessian, gradient, residual.square().sum(-1) + posture.square().sum(-1))
        add_sunk(self._soles, self._floor[index], self.chain, bodies, self.weights.sink, normal)
        if overlaps and self._capsules is not None:
            add_overlaps(self._capsules, self.chain, bodies, self.weights.overlap, normal)
        return normal

    def _weights_of_points(self, targets: Targets) -> Tensor:
        weight = torch.tensor([by_ending(self.weights.point, name) for name in self.point_names]).double()
        weight = weight.repeat(targets.num_frames, 1)
        for name, stands in targets.contact.items():
            weight[stands, self.point_names.index(name)] = self.weights.contact
        return weight


def by_ending(weights: tuple[tuple[str, float], ...], name: str) -> float:
    return next(weight for ending, weight in weights if name.endswith(ending))
