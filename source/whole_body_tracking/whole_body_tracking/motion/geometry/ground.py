"""Heights of a robot's colliders and soles over the ground plane z = 0."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from whole_body_tracking.robots import RobotModel

from .rotations import quat_rotate

LOW_PERCENTILE = 0.02
"""Share of frames whose soles may be lower than a clip's sole height, so that one bad frame does not lift it all."""


def collider_points(robot: RobotModel, body_name: str) -> list[tuple[list[float], float]]:
    """Centres [m] in the body's frame and radii [m] of the spheres that span a body's colliders."""
    points = []
    for shape in robot.facts["bodies"][body_name]["colliders"]:
        centers = [shape["center"]] if shape["type"] == "sphere" else [shape["p0"], shape["p1"]]
        points += [(center, shape["radius"]) for center in centers]
    return points


def foot_points(robot: RobotModel, body_pos_w: Tensor, body_quat_w: Tensor) -> Tensor:
    """Lowest points of the spheres under each foot [m], shape [batch, num_feet, num_points, 3].

    Args:
        robot: The robot.
        body_pos_w: Body positions [m], shape [batch, num_bodies, 3], in the order of ``robot.body_names``.
        body_quat_w: Body orientations (x, y, z, w), shape [batch, num_bodies, 4].
    """
    return torch.stack([_lowest(robot, name, body_pos_w, body_quat_w) for name in robot.foot_body_names], dim=1)


def sole_heights(robot: RobotModel, body_names: list[str], pos_w: Tensor, quat_w: Tensor) -> Tensor:
    """Height of the lowest collider point of each foot [m], shape [..., num_feet].

    Args:
        robot: The robot.
        body_names: Bodies of the poses; the feet are among them.
        pos_w: Body positions [m], shape [..., num_bodies, 3].
        quat_w: Body orientations (x, y, z, w), shape [..., num_bodies, 4].
    """
    heights = []
    for name in robot.foot_body_names:
        centers, radii = _on_device(_spheres(robot, name), pos_w.device, pos_w.dtype)
        foot = body_names.index(name)
        points = quat_rotate(quat_w[..., foot, None, :], centers)[..., 2] - radii
        heights.append(pos_w[..., foot, 2] + points.amin(-1))
    return torch.stack(heights, dim=-1)


def _spheres(robot: RobotModel, body_name: str) -> tuple[tuple[float, ...], ...]:
    return tuple((*center, radius) for center, radius in collider_points(robot, body_name))


@lru_cache(maxsize=64)
def _on_device(spheres: tuple, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Centers [m], shape [num_points, 3], and radii [m] of spheres; copied to the device once, not at every step."""
    values = torch.tensor(spheres, device=device, dtype=dtype)
    return values[:, :3], values[:, 3]


def lowest_height(robot: RobotModel, body_pos_w: Tensor, body_quat_w: Tensor) -> Tensor:
    """Height of the lowest collider point of each body [m], shape [batch, num_bodies]; infinite without colliders."""
    height = body_pos_w.new_full(body_pos_w.shape[:2], torch.inf)
    for index, name in enumerate(robot.body_names):
        if robot.facts["bodies"][name]["colliders"]:
            height[:, index] = _lowest(robot, name, body_pos_w, body_quat_w)[..., 2].amin(-1)
    return height


def sole_height_of_clip(robot: RobotModel, body_pos_w: Tensor, body_quat_w: Tensor) -> float:
    """Height of the lower sole [m] that 2 % of the frames are below."""
    per_frame = foot_points(robot, body_pos_w, body_quat_w)[..., 2].amin((1, 2))
    # An observed value, not an interpolated one: torch.quantile also refuses long inputs.
    rank = int(LOW_PERCENTILE * (len(per_frame) - 1))
    return float(per_frame.sort().values[rank])


def _lowest(robot: RobotModel, name: str, body_pos_w: Tensor, body_quat_w: Tensor) -> Tensor:
    index = robot.body_names.index(name)
    centers, radii = zip(*collider_points(robot, name), strict=True)
    points = body_pos_w[:, None, index] + quat_rotate(body_quat_w[:, None, index], body_pos_w.new_tensor(centers))
    points[..., 2] -= points.new_tensor(radii)
    return points
