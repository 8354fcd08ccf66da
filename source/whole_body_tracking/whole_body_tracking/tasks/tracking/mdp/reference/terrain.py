"""Placement of envs and their references on a generated terrain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from isaaclab.utils.math import sample_uniform
from torch import Tensor

from .terrain_heights import TerrainHeights

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedEnv
    from isaaclab.scene import InteractiveScene

SMOOTHING = 0.3
"""Half-width of the square over whose mean height a reference is lifted [m]: about the feet's distance from it."""


def ground_heights(scene: InteractiveScene) -> TerrainHeights | None:
    """Heights of the scene's generated terrain; None on flat ground."""
    if scene.terrain is None:
        return None
    from pxr import Usd, UsdGeom

    terrain = scene.terrain
    (path,) = terrain.terrain_prim_paths
    prims = Usd.PrimRange(scene.stage.GetPrimAtPath(path))
    (mesh,) = [UsdGeom.Mesh(prim) for prim in prims if prim.IsA(UsdGeom.Mesh)]
    points = torch.tensor([list(point) for point in mesh.GetPointsAttr().Get()], device=terrain.device)
    return TerrainHeights.from_vertices(points, terrain.cfg.terrain_generator.horizontal_scale)


def reference_lift(heights: TerrainHeights, anchor_xy_w: Tensor, origins_w: Tensor) -> Tensor:
    """Height that the terrain adds to a reference over flat ground at its env's origin [m], shape [num].

    Args:
        heights: Smoothed heights of the ground.
        anchor_xy_w: Horizontal position of the reference's anchor in the world frame [m], shape [num, 2].
        origins_w: Origin of the reference's env [m], shape [num, 3].
    """
    return heights.at(anchor_xy_w) - origins_w[:, 2]


def spread_over_terrain(env: ManagerBasedEnv, env_ids: Tensor | None, margin: float = 2.0) -> None:
    """Move each env's origin to a random place of its part of the terrain, at the height of the ground there.

    Args:
        env: An environment with a generated terrain.
        env_ids: Envs to move, or None for all.
        margin: Distance kept from the border of the part [m].
    """
    origins, size = env.scene.env_origins, env.scene.terrain.cfg.terrain_generator.size
    rows = torch.arange(env.num_envs, device=env.device)[slice(None) if env_ids is None else env_ids]
    reach = torch.tensor(size, device=env.device) / 2.0 - margin
    origins[rows, :2] += sample_uniform(-reach, reach, (len(rows), 2), device=env.device)
    origins[rows, 2] = ground_heights(env.scene).smoothed(SMOOTHING).at(origins[rows, :2])
