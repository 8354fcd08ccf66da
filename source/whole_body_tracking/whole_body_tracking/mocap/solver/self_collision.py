"""Capsules of a robot that overlap: how deep, and what pushes them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.motion.geometry.chain import BodyPoses, Chain, Poses
from whole_body_tracking.robots import RobotModel

from .capsule_distance import segment_distance

if TYPE_CHECKING:
    from .problem import Normal

SOFT = 0.01
"""Distance within which capsules begin to push each other apart [m]; makes the push continuous."""

MANY = 2
"""Bodies with more colliders than this get one capsule around all of them."""


@dataclass(frozen=True)
class Capsules:
    """A robot's colliders as capsules, and the pairs of them that may touch."""

    body: Tensor
    """Body of each capsule, shape [num_capsules]."""
    ends: Tensor
    """Centres of both hemispheres in the body frame [m], shape [num_capsules, 2, 3]."""
    radius: Tensor
    """[m], shape [num_capsules]."""
    pairs: Tensor
    """Pairs that are not neighbours, shape [num_pairs, 2]."""

    def placed(self, bodies: BodyPoses) -> Tensor:
        """Centres of the hemispheres in the world frame [m], shape [batch, num_capsules, 2, 3]."""
        return bodies.pos[:, self.body, None] + self.ends @ bodies.rot[:, self.body].mT


@dataclass(frozen=True)
class Overlaps:
    """Pairs that overlap, over all frames."""

    frame: Tensor
    """shape [num_overlaps]"""
    pair: Tensor
    """Index into :attr:`Capsules.pairs`, shape [num_overlaps]."""
    depth: Tensor
    """[m], shape [num_overlaps]."""
    normal: Tensor
    """Direction that pushes the first capsule away from the second, shape [num_overlaps, 3]."""
    points: Tensor
    """Nearest points of both axes [m], shape [num_overlaps, 2, 3]."""


def robot_capsules(robot: RobotModel) -> Capsules:
    """Capsules of the robot's colliders, without pairs that neighbour each other or overlap in the default pose."""
    entries = [(i, *each) for i, name in enumerate(robot.body_names) for each in _capsules(robot, name)]
    body = torch.tensor([entry[0] for entry in entries])
    ends = torch.stack([torch.stack(entry[1:3]) for entry in entries])
    radius = torch.tensor([entry[3] for entry in entries]).double()
    excluded = {frozenset(pair) for pair in robot.facts["self_collision_excludes"]}
    names, parents = robot.body_names, robot.parent_idx
    pairs = [
        (a, b)
        for a in range(len(body))
        for b in range(a + 1, len(body))
        if not _neighbours(int(body[a]), int(body[b]), parents)
        and frozenset((names[int(body[a])], names[int(body[b])])) not in excluded
    ]
    capsules = Capsules(body, ends, radius, torch.tensor(pairs).reshape(-1, 2))
    root_quat = torch.tensor([[0.0, 0.0, 0.0, 1.0]]).double()
    default = Poses(torch.zeros(1, 3).double(), root_quat, torch.from_numpy(robot.default_joint_pos)[None])
    touching = find_overlaps(capsules, Chain(robot).body_poses(default)).pair
    keep = torch.ones(len(pairs), dtype=torch.bool)
    keep[touching] = False
    return Capsules(body, ends, radius, capsules.pairs[keep])


def find_overlaps(capsules: Capsules, bodies: BodyPoses, within: float = 0.0) -> Overlaps:
    """Find the pairs that overlap, or are nearer to each other than ``within`` [m]."""
    ends = capsules.placed(bodies)
    middle, half = ends.mean(2), 0.5 * (capsules.ends[:, 0] - capsules.ends[:, 1]).norm(dim=-1)
    first, second = capsules.pairs.T
    reach = (half + capsules.radius)[first] + (half + capsules.radius)[second] + within
    near = (middle[:, first] - middle[:, second]).square().sum(-1) < reach.square()
    frame, pair = near.nonzero(as_tuple=True)
    a, b = first[pair], second[pair]
    distance, on_a, on_b = segment_distance(ends[frame, a], ends[frame, b])
    depth = capsules.radius[a] + capsules.radius[b] - distance
    hit = depth > -within
    apart = torch.where(distance[:, None] > 1e-6, on_a - on_b, middle[frame, a] - middle[frame, b])[hit]
    normal = torch.nn.functional.normalize(apart, dim=-1)
    return Overlaps(frame[hit], pair[hit], depth[hit], normal, torch.stack((on_a, on_b), dim=1)[hit])


def add_overlaps(capsules: Capsules, chain: Chain, bodies: BodyPoses, weight: float, normal: Normal) -> None:
    """Add the overlaps' residuals to normal equations.

    The residual is the depth d where it exceeds a, (d + a)^2 / 4a where |d| < a, and zero below, with a of 1 cm.
    """
    found = find_overlaps(capsules, bodies, within=SOFT)
    if not len(found.frame):
        return
    body_idx = capsules.body[capsules.pairs[found.pair]]
    jacobian = chain.point_jacobians(bodies[found.frame], body_idx, found.points)
    part = ((found.depth + SOFT) / (2.0 * SOFT)).clamp(max=1.0)
    residual = weight * torch.where(found.depth < SOFT, SOFT * part.square(), found.depth)
    row = -weight * part[:, None] * torch.einsum("ki,kid->kd", found.normal, jacobian[:, 0] - jacobian[:, 1])
    normal.hessian.index_add_(0, found.frame, row[:, :, None] * row[:, None])
    normal.gradient.index_add_(0, found.frame, row * residual[:, None])
    normal.cost.index_add_(0, found.frame, residual.square())


def _capsules(robot: RobotModel, name: str) -> list[tuple[Tensor, Tensor, float]]:
    shapes = robot.facts["bodies"][name]["colliders"]
    found = []
    for shape in shapes:
        ends = (shape["center"], shape["center"]) if shape["type"] == "sphere" else (shape["p0"], shape["p1"])
        found.append((*(torch.tensor(end).double() for end in ends), float(shape["radius"])))
    return [_around(found)] if len(found) > MANY else found


def _around(capsules: list[tuple[Tensor, Tensor, float]]) -> tuple[Tensor, Tensor, float]:
    """One capsule along the longest, through their middle, as wide as they are."""
    longest = max(capsules, key=lambda each: float((each[1] - each[0]).norm()))
    direction = torch.nn.functional.normalize(longest[1] - longest[0], dim=0)
    points = torch.stack([point for each in capsules for point in each[:2]])
    radii = torch.tensor([each[2] for each in capsules for _ in range(2)]).double()
    middle = 0.5 * (points.amin(0) + points.amax(0))
    along = (points - middle) @ direction
    across = (points - middle - along[:, None] * direction).norm(dim=-1) + radii
    radius = float(across.max())
    low, high = float((along - radii).min()) + radius, float((along + radii).max()) - radius
    low, high = min(low, high), max(low, high)
    return middle + low * direction, middle + high * direction, radius


def _neighbours(a: int, b: int, parents) -> bool:
    """Whether two bodies are the same, parent and child, or grandparent and grandchild."""
    near = {a, int(parents[a]), int(parents[parents[a]]) if parents[a] >= 0 else -1}
    return b in near or a in {b, int(parents[b]), int(parents[parents[b]]) if parents[b] >= 0 else -1}
