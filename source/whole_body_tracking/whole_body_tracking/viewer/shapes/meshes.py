"""A robot's visual shapes as triangle meshes, one light and at most one dark mesh per body."""

from __future__ import annotations

import numpy as np
import trimesh
from scipy.spatial.transform import Rotation

from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.usd_shapes import Shape, visual_shapes

from .installed import installed_meshes

SEGMENTS = (12, 20)
"""Facets of a capsule from pole to pole and around."""


def body_meshes(robot: RobotModel, body_name: str) -> dict[str, trimesh.Trimesh]:
    """Return a body's visual shapes in the body frame [m], merged by tone: keys ``light`` and ``dark``.

    They are the robot's real ones where its description is installed, and capsules elsewhere.
    """
    installed = installed_meshes(robot)
    return installed[body_name] if installed else capsule_meshes(robot, body_name)


def capsule_meshes(robot: RobotModel, body_name: str) -> dict[str, trimesh.Trimesh]:
    """Return the capsules of a body in the body frame [m], merged by tone."""
    meshes: dict[str, list[trimesh.Trimesh]] = {}
    for shape in visual_shapes(robot, body_name):
        meshes.setdefault(shape.tone, []).append(shape_mesh(shape))
    return {tone: trimesh.util.concatenate(parts) for tone, parts in meshes.items()}


def shape_mesh(shape: Shape) -> trimesh.Trimesh:
    """Return one capsule or sphere in its body's frame [m]."""
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_quat(shape.quat).as_matrix()
    pose[:3, 3] = shape.pos
    return trimesh.creation.capsule(shape.height, shape.radius, count=list(SEGMENTS), transform=pose)
