"""Soles of a robot that sink into the ground z = 0: how deep, and what lifts them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.motion.geometry.chain import BodyPoses, Chain
from whole_body_tracking.motion.geometry.ground import collider_points
from whole_body_tracking.robots import RobotModel

if TYPE_CHECKING:
    from .problem import Normal

NUM_DIRECTIONS = 8
"""Directions in which a foot's outermost points are taken."""
TOLERANCE = 0.0005
"""Depth from which a sole counts as sunk [m]: one that stands is not pushed every other step."""


@dataclass(frozen=True)
class SolePoints:
    """Spheres under the feet."""

    body: Tensor
    """Body of each, shape [num_points]."""
    center: Tensor
    """In the body's frame [m], shape [num_points, 3]."""
    radius: Tensor
    """[m], shape [num_points]."""
    foot: Tensor
    """Index of each one's foot, shape [num_points]."""

    def depth(self, bodies: BodyPoses, floor: Tensor) -> Tensor:
        """How far each is below a height [m], negative above, shape [batch, num_points]; floor: [batch, num_feet]."""
        return floor[:, self.foot] + self.radius - bodies.points(self.body, self.center)[..., 2]


def sole_points(robot: RobotModel) -> SolePoints:
    """The outermost spheres of each foot's colliders."""
    body, center, radius, feet = [], [], [], []
    for foot, name in enumerate(robot.foot_body_names):
        points = collider_points(robot, name)
        centers = torch.tensor([point for point, _ in points]).double()
        chosen = set()
        for k in range(NUM_DIRECTIONS):
            angle = 2.0 * math.pi * k / NUM_DIRECTIONS
            chosen.add(int((centers[:, 0] * math.cos(angle) + centers[:, 1] * math.sin(angle)).argmax()))
        for place in sorted(chosen):
            body.append(robot.body_names.index(name))
            center.append(points[place][0])
            radius.append(points[place][1])
            feet.append(foot)
    return SolePoints(
        torch.tensor(body), torch.tensor(center).double(), torch.tensor(radius).double(), torch.tensor(feet)
    )


def add_sunk(soles: SolePoints, floor: Tensor, chain: Chain, bodies: BodyPoses, weight: float, normal: Normal) -> None:
    """Add the depth of soles below ``floor`` [m], shape [batch, num_feet], to normal equations."""
    depth = soles.depth(bodies, floor)
    frame, point = (depth > TOLERANCE).nonzero(as_tuple=True)
    if not len(frame):
        return
    picked, body = bodies[frame], soles.body[point]
    place = picked.pos[torch.arange(len(frame)), body]
    place = place + (picked.rot[torch.arange(len(frame)), body] @ soles.center[point, :, None]).squeeze(-1)
    jacobian = chain.point_jacobians(picked, body[:, None], place[:, None])
    row, residual = -weight * jacobian[:, 0, 2], weight * depth[frame, point]
    normal.hessian.index_add_(0, frame, row[:, :, None] * row[:, None])
    normal.gradient.index_add_(0, frame, row * residual[:, None])
    normal.cost.index_add_(0, frame, residual.square())
