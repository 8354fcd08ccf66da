"""Meshes as pixels: the nearest triangle in each, compiled by numba. Camera frame and rays as for capsules."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.robots import RobotModel

from .capsules import NEAR, Box, Camera, Surface
from .installed import installed_meshes


@dataclass(frozen=True)
class Solid:
    """A robot's meshes, each vertex fixed to a body."""

    body: np.ndarray
    """Index of each vertex' body among a track's, shape [num_vertices]."""
    vertices: np.ndarray
    """In the body frame [m], shape [num_vertices, 3]."""
    faces: np.ndarray
    """Vertices of each triangle, counter-clockwise seen from outside, shape [num_faces, 3]."""
    color: np.ndarray
    """sRGB of each triangle, shape [num_faces, 3]."""

    def placed(self, pos_w: np.ndarray, quat_xyzw: np.ndarray) -> np.ndarray:
        """Vertices in the world frame [m], shape [num_vertices, 3].

        Args:
            pos_w: Body positions [m], shape [num_bodies, 3].
            quat_xyzw: Body orientations, shape [num_bodies, 4].
        """
        turn = Rotation.from_quat(quat_xyzw).as_matrix()[self.body]
        return np.einsum("vij,vj->vi", turn, self.vertices) + pos_w[self.body]


def robot_solid(robot: RobotModel, body_names, colors: dict[str, tuple[int, int, int]]) -> Solid | None:
    """The real shapes of a robot's bodies; None where no description of it is installed.

    Args:
        robot: The facts.
        body_names: Bodies to show, in the order of the poses.
        colors: sRGB of each tone.
    """
    meshes = installed_meshes(robot)
    if not meshes:
        return None
    body, vertices, faces, color, count = [], [], [], [], 0
    for index, name in enumerate(body_names):
        for tone, mesh in meshes[name].items():
            body.append(np.full(len(mesh.vertices), index))
            vertices.append(mesh.vertices)
            faces.append(mesh.faces + count)
            color.append(np.tile(np.float32(colors[tone]), (len(mesh.faces), 1)))
            count += len(mesh.vertices)
    return Solid(*(np.concatenate(parts) for parts in (body, vertices, faces, color)))


def draw_triangles(camera: Camera, vertices: np.ndarray, faces: np.ndarray) -> Surface:
    """Find the nearest triangle in each pixel; those seen from behind are not drawn.

    Args:
        camera: The camera.
        vertices: In the camera frame [m], shape [num_vertices, 3].
        faces: Vertices of each triangle, shape [num_faces, 3].
    """
    depth = np.full((camera.height, camera.width), np.inf, dtype=np.float32)
    index = np.zeros(depth.shape, dtype=np.int32)
    pixels = np.empty((len(vertices), 3))
    pixels[:, 2] = vertices[:, 2]
    pixels[:, :2] = vertices[:, :2] / np.maximum(vertices[:, 2:], NEAR) * camera.focal_length + camera.middle - 0.5
    _compiled()(pixels, np.ascontiguousarray(faces), depth, index)
    return Surface(depth, index)


def face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Outward unit normals of triangles, shape [num_faces, 3]."""
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return (normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)).astype(np.float32)


def triangles_box(camera: Camera, vertices: np.ndarray) -> Box | None:
    """Pixels that hold all vertices in front of the camera; None if none is in view."""
    seen = vertices[vertices[:, 2] > NEAR]
    if not len(seen):
        return None
    pixels = seen[:, :2] / seen[:, 2:] * camera.focal_length + camera.middle
    low = np.floor(pixels.min(0)).astype(int).clip(0)
    high = np.minimum(np.ceil(pixels.max(0)).astype(int) + 1, [camera.width, camera.height])
    return Box(slice(low[1], high[1]), slice(low[0], high[0])) if (low < high).all() else None


@functools.cache
def _compiled():
    import numba

    return numba.njit(_draw)


def _draw(pixels, faces, depth, index):
    """Fill depth and index; ``pixels`` are column, row and depth of each vertex. Plain Python that numba compiles.

    Inside a triangle 1/depth is linear over the picture.
    """
    height, width = depth.shape
    for face in range(faces.shape[0]):
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        ax, ay, az = pixels[a, 0], pixels[a, 1], pixels[a, 2]
        bx, by, bz = pixels[b, 0], pixels[b, 1], pixels[b, 2]
        cx, cy, cz = pixels[c, 0], pixels[c, 1], pixels[c, 2]
        if min(az, bz, cz) < NEAR:
            continue
        # Rows go down, so counter-clockwise from outside is a negative area here.
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area >= 0.0:
            continue
        first_row, last_row = max(0, int(np.ceil(min(ay, by, cy)))), min(height - 1, int(np.floor(max(ay, by, cy))))
        first, last = max(0, int(np.ceil(min(ax, bx, cx)))), min(width - 1, int(np.floor(max(ax, bx, cx))))
        for row in range(first_row, last_row + 1):
            for column in range(first, last + 1):
                u = ((bx - column) * (cy - row) - (by - row) * (cx - column)) / area
                v = ((cx - column) * (ay - row) - (cy - row) * (ax - column)) / area
                w = 1.0 - u - v
                if u < 0.0 or v < 0.0 or w < 0.0:
                    continue
                found = 1.0 / (u / az + v / bz + w / cz)
                if found < depth[row, column]:
                    depth[row, column] = found
                    index[row, column] = face
