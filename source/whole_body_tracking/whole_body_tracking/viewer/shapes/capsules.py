"""Capsules as pixels: exact outlines and depths by intersecting each one with the rays of a camera, in numpy alone.

Camera frame: X right, Y down, Z forward. A pixel's ray is (x, y, 1), so the distance along it is the depth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAR = 0.05
"""Depth in front of which nothing is drawn [m]."""


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels."""

    rows: slice
    columns: slice

    def joined(self, other: Box) -> Box:
        """The smallest rectangle around both."""
        spans = zip((self.rows, self.columns), (other.rows, other.columns), strict=True)
        return Box(*(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in spans))


@dataclass(frozen=True)
class Camera:
    """A pinhole camera."""

    position: np.ndarray
    """Position in the world frame [m], shape [3]."""
    axes: np.ndarray
    """Right, down and forward in the world frame, one per row, shape [3, 3]."""
    width: int
    """[pixels]"""
    height: int
    """[pixels]"""
    focal_length: float
    """[pixels]"""
    middle: np.ndarray
    """Column and row that the optical axis meets [pixels], shape [2]."""

    @classmethod
    def looking_at(
        cls, look_at: np.ndarray, position: np.ndarray, width: int, height: int, field_of_view: float
    ) -> Camera:
        """An upright camera.

        Args:
            look_at: Point in the middle of the picture [m], shape [3].
            position: Of the camera [m], shape [3]; not straight above or below that point.
            width: Of the picture [pixels].
            height: Of the picture [pixels].
            field_of_view: Vertical [rad].
        """
        forward = (look_at - position) / np.linalg.norm(look_at - position)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        axes = np.stack((right, np.cross(forward, right), forward))
        focal_length = height / (2.0 * np.tan(field_of_view / 2.0))
        return cls(position, axes, width, height, focal_length, np.array([width, height]) / 2.0)

    def scaled(self, factor: int) -> Camera:
        """The same view with more pixels."""
        width, height = self.width * factor, self.height * factor
        return Camera(self.position, self.axes, width, height, self.focal_length * factor, self.middle * factor)

    def cropped(self, box: Box) -> Camera:
        """A part of the view."""
        width, height = box.columns.stop - box.columns.start, box.rows.stop - box.rows.start
        middle = self.middle - [box.columns.start, box.rows.start]
        return Camera(self.position, self.axes, width, height, self.focal_length, middle)

    def to_camera(self, points_w: np.ndarray) -> np.ndarray:
        """World points in the camera frame [m], shape [..., 3]."""
        return (points_w - self.position) @ self.axes.T

    def rays(self) -> tuple[np.ndarray, np.ndarray]:
        """Slopes of the pixels' rays: x of each column, shape [width], and y of each row, shape [height]."""
        columns = (np.arange(self.width) + 0.5 - self.middle[0]) / self.focal_length
        rows = (np.arange(self.height) + 0.5 - self.middle[1]) / self.focal_length
        return columns.astype(np.float32), rows.astype(np.float32)


@dataclass(frozen=True)
class Surface:
    """The nearest of several capsules in each pixel."""

    depth: np.ndarray
    """[m], infinite where there is none, shape [height, width]."""
    capsule: np.ndarray
    """Which one it is, or which triangle, shape [height, width]; undefined where there is none."""


def draw_capsules(camera: Camera, starts: np.ndarray, ends: np.ndarray, radii: np.ndarray) -> Surface:
    """Find the nearest capsule in each pixel.

    Args:
        camera: The camera.
        starts: Centres of their first hemispheres in the camera frame [m], shape [num_capsules, 3].
        ends: Centres of the other ones, the same for a sphere, shape [num_capsules, 3].
        radii: [m], shape [num_capsules].
    """
    columns, rows = camera.rays()
    depth = np.full((camera.height, camera.width), np.inf, dtype=np.float32)
    capsule = np.zeros(depth.shape, dtype=np.int16)
    for index, (start, end, radius) in enumerate(zip(starts, ends, radii, strict=True)):
        box = capsule_box(camera, start, end, radius)
        if box is None:
            continue
        found = _intersect(columns[box.columns], rows[box.rows], start, end, radius)
        nearer = found < depth[box.rows, box.columns]
        depth[box.rows, box.columns][nearer] = found[nearer]
        capsule[box.rows, box.columns][nearer] = index
    return Surface(depth, capsule)


def normals(
    surface: Surface, pixels: np.ndarray, camera: Camera, starts: np.ndarray, ends: np.ndarray, radii: np.ndarray
) -> np.ndarray:
    """Outward normals of a surface in the camera frame, shape [num_pixels, 3].

    Args:
        surface: From :func:`draw_capsules` with the same capsules.
        pixels: Mask of the pixels to look at, shape [height, width]; each shows a capsule.
        camera: The camera.
        starts: As in :func:`draw_capsules`.
        ends: As in :func:`draw_capsules`.
        radii: As in :func:`draw_capsules`.
    """
    columns, rows = camera.rays()
    row, column = pixels.nonzero()
    which, depth = surface.capsule[row, column], surface.depth[row, column]
    starts, axes = starts.astype(np.float32), (ends - starts).astype(np.float32)
    offset = np.stack((depth * columns[column], depth * rows[row], depth), axis=-1) - starts[which]
    squared = np.maximum((axes * axes).sum(-1), 1e-12)
    along = ((offset * axes[which]).sum(-1) / squared[which]).clip(0.0, 1.0)
    return (offset - along[:, None] * axes[which]) / radii.astype(np.float32)[which, None]


def capsule_box(camera: Camera, start: np.ndarray, end: np.ndarray, radius: float) -> Box | None:
    """Pixels outside of which a capsule is not seen; None if it is out of view or reaches behind the camera.

    Args:
        camera: The camera.
        start: Centre of its first hemisphere in the camera frame [m], shape [3].
        end: Centre of the other one, shape [3].
        radius: [m]
    """
    points = np.stack((start, end))
    nearest = points[:, 2:] - radius
    if nearest.min() < NEAR:
        return None
    # The outline of a sphere lies within radius * (1 + |slope|) / nearest depth of its projected centre.
    slopes = points[:, :2] / points[:, 2:]
    reach = radius / nearest * (1.0 + np.abs(slopes))
    low = np.floor((slopes - reach).min(0) * camera.focal_length + camera.middle).astype(int).clip(0)
    high = np.ceil((slopes + reach).max(0) * camera.focal_length + camera.middle).astype(int)
    high = np.minimum(high, [camera.width, camera.height])
    return Box(slice(low[1], high[1]), slice(low[0], high[0])) if (low < high).all() else None


def _intersect(columns: np.ndarray, rows: np.ndarray, start: np.ndarray, end: np.ndarray, radius: float) -> np.ndarray:
    """Depth at which each ray meets a capsule [m], infinite where it does not, shape [num_rows, num_columns].

    The cylinder around the axis is met where a t^2 + 2 b t + c = 0; hits beyond its ends belong to a hemisphere.
    """
    axis = end - start
    squared, along_start = float(axis @ axis), float(-axis @ start)
    x, y = columns[None], rows[:, None]
    ray_squared = 1.0 + x * x + y * y
    ray_start = -(x * start[0] + y * start[1] + start[2])
    if squared < 1e-12:
        return _meet(ray_squared, ray_start, float(start @ start) - radius**2)
    ray_axis = x * axis[0] + y * axis[1] + axis[2]
    c = squared * float(start @ start) - along_start**2 - radius**2 * squared
    side = _meet(squared * ray_squared - ray_axis**2, squared * ray_start - along_start * ray_axis, c)
    with np.errstate(invalid="ignore"):
        place = along_start + side * ray_axis
        on_side = (place > 0.0) & (place < squared)
    ray_end = -(x * end[0] + y * end[1] + end[2])
    caps = np.minimum(
        _meet(ray_squared, ray_start, float(start @ start) - radius**2),
        _meet(ray_squared, ray_end, float(end @ end) - radius**2),
    )
    return np.where(on_side, side, caps)


def _meet(a: np.ndarray, b: np.ndarray, c: float) -> np.ndarray:
    """Smaller root of a t^2 + 2 b t + c = 0, infinite where there is none."""
    discriminant = b * b - a * c
    root = (-b - np.sqrt(np.maximum(discriminant, 0.0))) / np.maximum(a, 1e-12)
    return np.where(discriminant > 0.0, root, np.inf).astype(np.float32)
