"""One picture of robots on the ground, in numpy alone: no OpenGL, no display, no system library."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.usd_shapes import visual_shapes

from .colors_and_camera import GHOST_COLORS, GHOST_OPACITY, ROBOT_COLORS
from .shapes.capsules import Box, Camera, Surface, capsule_box, draw_capsules, normals
from .shapes.triangles import Solid, draw_triangles, face_normals, triangles_box

SUPERSAMPLING = 2
"""Rays a pixel of the picture has in each direction, for robots."""

LIGHT_DIRECTION = np.array([0.35, -0.25, 0.9]) / np.linalg.norm([0.35, -0.25, 0.9])
"""From the ground to the light, which is so far away that it follows every robot."""

SKY_COLOR = np.array([238.0, 241.0, 245.0], dtype=np.float32)
GROUND_COLORS = np.array([[214.0, 218.0, 224.0], [199.0, 204.0, 212.0]], dtype=np.float32)
"""sRGB colours of the background and of the ground's two kinds of squares."""

SQUARE = 0.5
"""Side of the ground's squares [m]."""

FADE = (6.0, 25.0)
"""Depths at which the ground begins to fade into the sky and has faded [m]."""

SHADOW, SHADOW_EDGE = 0.35, 0.03
"""How much darker a shadow is, and the width of its edge [m]."""

GHOST_BEHIND = 0.005
"""A ghost has to be this much nearer than the robot to be seen before it [m]: where both agree, the robot shows."""


@dataclass(frozen=True)
class Capsules:
    """Visual shapes of one robot, each fixed to a body."""

    body: np.ndarray
    """Index of each one's body among a track's, shape [num_capsules]."""
    ends: np.ndarray
    """Centres of both hemispheres in the body frame [m], shape [num_capsules, 2, 3]."""
    radius: np.ndarray
    """[m], shape [num_capsules]."""
    color: np.ndarray
    """sRGB, shape [num_capsules, 3]."""

    def placed(self, pos_w: np.ndarray, quat_xyzw: np.ndarray) -> np.ndarray:
        """Centres of the hemispheres in the world frame [m], shape [num_capsules, 2, 3].

        Args:
            pos_w: Body positions [m], shape [num_bodies, 3].
            quat_xyzw: Body orientations, shape [num_bodies, 4].
        """
        turn = Rotation.from_quat(quat_xyzw).as_matrix()[self.body]
        return np.einsum("cij,cej->cei", turn, self.ends) + pos_w[self.body, None]


def robot_capsules(robot: RobotModel, body_names, ghost: bool) -> Capsules:
    """The visual shapes of a robot's bodies.

    Args:
        robot: The facts.
        body_names: Bodies to show, in the order of the poses.
        ghost: Whether it gets the colours of a ghost.
    """
    shapes = [(index, shape) for index, name in enumerate(body_names) for shape in visual_shapes(robot, name)]
    colors = GHOST_COLORS if ghost else ROBOT_COLORS
    half = [Rotation.from_quat(shape.quat).apply([0.0, 0.0, shape.height / 2.0]) for _, shape in shapes]
    return Capsules(
        body=np.array([index for index, _ in shapes]),
        ends=np.stack([(shape.pos - h, shape.pos + h) for (_, shape), h in zip(shapes, half, strict=True)]),
        radius=np.array([shape.radius for _, shape in shapes]),
        color=np.array([colors[shape.tone] for _, shape in shapes], dtype=np.float32),
    )


@dataclass(frozen=True)
class Figure:
    """A robot in one pose."""

    ends_w: np.ndarray
    """From :meth:`Capsules.placed`."""
    capsules: Capsules
    ghost: bool
    solid: Solid | None = None
    """Its real shapes, which are then drawn instead of the capsules; the shadow stays that of the capsules."""
    vertices_w: np.ndarray | None = None
    """From :meth:`Solid.placed`."""


def draw_picture(camera: Camera, figures: list[Figure]) -> np.ndarray:
    """Draw robots on the ground; ghosts are translucent and cast no shadow.

    Args:
        camera: The camera.
        figures: What stands there.

    Returns:
        The picture, sRGB, shape [height, width, 3], uint8.
    """
    picture = _ground(camera, [figure for figure in figures if not figure.ghost])
    box = _box_of(camera, figures)
    if box is not None:
        fine = camera.cropped(box).scaled(SUPERSAMPLING)
        color = np.zeros((fine.height, fine.width, 4), dtype=np.float32)
        nearest = np.full(color.shape[:2], np.inf, dtype=np.float32)
        for figure in sorted(figures, key=lambda figure: figure.ghost):
            _add(fine, figure, color, nearest)
        color, part = _averaged(color), picture[box.rows, box.columns]
        part[:] = part * (1.0 - color[..., 3:]) + color[..., :3]
    return (picture + 0.5).clip(0.0, 255.0).astype(np.uint8)


def _box_of(camera: Camera, figures: list[Figure]) -> Box | None:
    """Pixels that hold all robots; None if none is in view."""
    boxes = []
    for figure in figures:
        ends = camera.to_camera(figure.ends_w)
        if figure.solid is not None:
            boxes.append(triangles_box(camera, camera.to_camera(figure.vertices_w)))
            continue
        boxes += [capsule_box(camera, *pair, radius) for pair, radius in zip(ends, figure.capsules.radius, strict=True)]
    boxes = [box for box in boxes if box is not None]
    return functools.reduce(Box.joined, boxes) if boxes else None


def _add(camera: Camera, figure: Figure, color: np.ndarray, nearest: np.ndarray) -> None:
    """Blend a robot into premultiplied colours with their cover in the last channel; solid ones keep their depth."""
    surface = _surface_of(camera, figure)
    seen = surface.depth < nearest - (GHOST_BEHIND if figure.ghost else 0.0)
    normal, base = _normals_and_colors(camera, figure, surface, seen)
    lit = 0.62 + 0.1 * normal[:, 2] + 0.42 * np.maximum(normal @ LIGHT_DIRECTION.astype(np.float32), 0.0)
    shade = (base * lit[:, None]).clip(0.0, 255.0)
    opacity = np.float32(GHOST_OPACITY if figure.ghost else 1.0)
    color[seen] = color[seen] * (1 - opacity) + np.pad(shade, ((0, 0), (0, 1)), constant_values=1.0) * opacity
    if not figure.ghost:
        nearest[seen] = surface.depth[seen]


def _surface_of(camera: Camera, figure: Figure) -> Surface:
    if figure.solid is not None:
        return draw_triangles(camera, camera.to_camera(figure.vertices_w), figure.solid.faces)
    ends = camera.to_camera(figure.ends_w)
    return draw_capsules(camera, ends[:, 0], ends[:, 1], figure.capsules.radius)


def _normals_and_colors(camera: Camera, figure: Figure, surface: Surface, seen: np.ndarray) -> tuple[np.ndarray, ...]:
    """World normals and unlit colours of the pixels that are seen, shape [num_pixels, 3] each."""
    which = surface.capsule[seen]
    if figure.solid is not None:
        return face_normals(figure.vertices_w, figure.solid.faces)[which], figure.solid.color[which]
    ends = camera.to_camera(figure.ends_w)
    normal = normals(surface, seen, camera, ends[:, 0], ends[:, 1], figure.capsules.radius)
    return normal @ camera.axes.astype(np.float32), figure.capsules.color[which]


def _averaged(values: np.ndarray) -> np.ndarray:
    step = SUPERSAMPLING
    return sum(values[row::step, column::step] for row in range(step) for column in range(step)) / step**2


def _ground(camera: Camera, casting: list[Figure]) -> np.ndarray:
    """Ground and sky, shape [height, width, 3]."""
    columns, rows = camera.rays()
    axes = camera.axes.astype(np.float32)
    ray = [axes[2, axis] + columns[None] * axes[0, axis] + rows[:, None] * axes[1, axis] for axis in range(3)]
    fall = np.maximum(-ray[2], 1e-4)
    depth = np.minimum(np.float32(camera.position[2]) / fall, FADE[1])
    fade = ((depth - FADE[0]) / (FADE[1] - FADE[0])).clip(0.0, 1.0)
    place = [np.float32(camera.position[axis]) + depth * ray[axis] for axis in (0, 1)]
    # Width of a pixel on the ground [squares]: the pattern's edges are that wide, so that they do not flicker.
    blur = np.maximum(depth / (np.float32(camera.focal_length * SQUARE) * np.maximum(fall, 0.05)), 1e-3)
    pattern = _wave(place[0] / SQUARE, blur) * _wave(place[1] / SQUARE, blur) * (1.5 - blur).clip(0.0, 1.0)
    dark = np.zeros_like(depth)
    for figure in casting:
        _cast(figure, place, dark)
    lit = (1.0 - fade) * (1.0 - np.float32(SHADOW) * dark)
    middle, swing = GROUND_COLORS.mean(0), (GROUND_COLORS[1] - GROUND_COLORS[0]) / 2.0
    channels = [lit * (middle[i] + pattern * swing[i]) + fade * SKY_COLOR[i] for i in range(3)]
    return np.stack(channels, axis=-1)


def _wave(position: np.ndarray, blur: np.ndarray) -> np.ndarray:
    """+1 and -1 in turns, with ramps of width ``blur`` between them."""
    return (4.0 * (np.abs(position % 2.0 - 1.0) - 0.5) / blur).clip(-1.0, 1.0)


def _cast(figure: Figure, place: list[np.ndarray], dark: np.ndarray) -> None:
    """Darken the ground where a robot is between it and the light, up to 1; places are x and y of each pixel [m]."""
    slant = LIGHT_DIRECTION[:2] / LIGHT_DIRECTION[2]
    ends = figure.ends_w[..., :2] - slant * figure.ends_w[..., 2:]
    reach = figure.capsules.radius.max() + SHADOW_EDGE
    low, high = ends.min((0, 1)) - reach, ends.max((0, 1)) + reach
    near = (place[0] > low[0]) & (place[0] < high[0]) & (place[1] > low[1]) & (place[1] < high[1])
    points = np.stack((place[0][near], place[1][near]), axis=-1).astype(np.float32)
    shade = dark[near]
    for (start, end), radius in zip(ends.astype(np.float32), figure.capsules.radius, strict=True):
        axis = end - start
        offset = points - start
        along = (offset @ axis / max(float(axis @ axis), 1e-9)).clip(0.0, 1.0)
        distance = np.linalg.norm(offset - along[:, None] * axis, axis=-1)
        np.maximum(shade, ((radius - distance) / SHADOW_EDGE + 0.5).clip(0.0, 1.0), out=shade)
    dark[near] = shade
