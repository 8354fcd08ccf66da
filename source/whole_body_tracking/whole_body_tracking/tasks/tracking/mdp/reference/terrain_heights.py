"""Height table of a generated terrain, for references that follow it. Pure functions of tensors."""

from __future__ import annotations

import torch
from torch import Tensor


class TerrainHeights:
    """Heights of a terrain on a regular grid, looked up between grid points by bilinear interpolation.

    Beyond the grid the height of its edge is held.
    """

    def __init__(self, table: Tensor, origin: Tensor, spacing: float):
        """Keep a table.

        Args:
            table: Heights [m], shape [num_x, num_y].
            origin: Position of the table's first point [m], shape [2].
            spacing: Distance of two grid points [m].
        """
        self.table, self.origin, self.spacing = table, origin, spacing

    @classmethod
    def from_vertices(cls, vertices: Tensor, spacing: float) -> TerrainHeights:
        """Make a table of a mesh whose vertices lie on a grid; of several at one point the highest counts.

        Args:
            vertices: Vertices in the world frame [m], shape [num_vertices, 3].
            spacing: Distance of two grid points [m].
        """
        low = vertices[:, :2].amin(0)
        cells = ((vertices[:, :2] - low) / spacing).round().long()
        shape = (cells.amax(0) + 1).tolist()
        table = torch.full((shape[0] * shape[1],), -torch.inf, device=vertices.device)
        table.scatter_reduce_(0, cells[:, 0] * shape[1] + cells[:, 1], vertices[:, 2], "amax")
        table = table.nan_to_num(neginf=0.0).view(shape)  # grid points that no vertex is at: a flat border's inside
        return cls(table, low, spacing)

    def smoothed(self, radius: float) -> TerrainHeights:
        """The same terrain with every height replaced by the mean over a square of half-width ``radius`` [m]."""
        reach = max(0, round(radius / self.spacing))
        padded = torch.nn.functional.pad(self.table[None, None], [reach] * 4, mode="replicate")
        mean = torch.nn.functional.avg_pool2d(padded, 2 * reach + 1, stride=1)[0, 0]
        return TerrainHeights(mean, self.origin, self.spacing)

    def at(self, xy_w: Tensor) -> Tensor:
        """Height of the ground [m], shape [...], below points of the world frame, shape [..., 2]."""
        limits = torch.tensor(self.table.shape, device=xy_w.device) - 1
        place = ((xy_w - self.origin) / self.spacing).clamp(min=0.0)
        place = torch.minimum(place, limits.to(place.dtype))
        low = torch.minimum(place.long(), limits - 1).clamp(min=0)
        share = place - low
        corners = [self._corner(low, limits, dx, dy) for dx in (0, 1) for dy in (0, 1)]
        u, v = share.unbind(-1)
        weights = [(1 - u) * (1 - v), (1 - u) * v, u * (1 - v), u * v]
        return sum(weight * corner for weight, corner in zip(weights, corners, strict=True))

    def _corner(self, low: Tensor, limits: Tensor, dx: int, dy: int) -> Tensor:
        x, y = (torch.minimum(low[..., axis] + step, limits[axis]) for axis, step in ((0, dx), (1, dy)))
        return self.table[x, y]
