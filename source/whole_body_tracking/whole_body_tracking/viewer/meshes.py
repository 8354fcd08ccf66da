"""A robot's visual shapes as triangle meshes, one light and one dark mesh a body at most."""

from __future__ import annotations

import numpy as np
import trimesh
from scipy.spatial.transform import Rotation

from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.usd_shapes import Shape, shape_from_facts

LIGHT_VISUALS = ("pelvis", "pelvis_contour_link", "torso_link", "logo_link") + (
    "hip_yaw_link",
    "knee_link",
    "shoulder_yaw_link",
    "elbow_link",
)
"""Endings of the names of visual shapes that are light; all others are dark."""

SEGMENTS = (12, 20)
"""Facets of a capsule from pole to pole and around."""


def body_meshes(robot: RobotModel, body_name: str) -> dict[str, trimesh.Trimesh]:
    """Return a body's visual shapes in the body frame [m], merged by tone: keys ``light`` and ``dark``."""
    meshes: dict[str, list[trimesh.Trimesh]] = {}
    for facts in robot.facts["bodies"][body_name]["visuals"]:
        shape = shape_from_facts(facts)
        tone = "light" if shape.name.endswith(LIGHT_VISUALS) else "dark"
        meshes.setdefault(tone, []).append(shape_mesh(shape))
    return {tone: trimesh.util.concatenate(parts) for tone, parts in meshes.items()}


def shape_mesh(shape: Shape) -> trimesh.Trimesh:
    """Return one capsule or sphere in its body's frame [m]."""
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_quat(shape.quat).as_matrix()
    pose[:3, 3] = shape.pos
    return trimesh.creation.capsule(shape.height, shape.radius, count=list(SEGMENTS), transform=pose)
