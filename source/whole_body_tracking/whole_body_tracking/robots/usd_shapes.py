"""Shapes and mass properties of a robot's facts as USD and views want them: centre, height along Z, principal axes.

Pure numpy, quaternions (x, y, z, w).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.names import require_known

LIGHT_VISUALS = (
    *("pelvis", "pelvis_contour_link", "torso_link", "logo_link"),
    *("hip_yaw_link", "knee_link", "shoulder_yaw_link", "elbow_link"),
)
"""Endings of the names of visual shapes that are light, shells and limbs; motors, feet, hands and head are dark."""


@dataclass(frozen=True)
class Shape:
    """A capsule along its own Z axis, or a sphere (``height`` 0), in its body's frame."""

    name: str
    radius: float
    """[m]"""
    height: float
    """Distance between the centres of the hemispheres [m]."""
    pos: np.ndarray
    """Centre [m], shape [3]."""
    quat: np.ndarray
    """Orientation (x, y, z, w), shape [4]."""

    @property
    def is_sphere(self) -> bool:
        return self.height == 0.0

    @property
    def tone(self) -> str:
        """``light`` or ``dark``, the colour of a visual shape."""
        return "light" if self.name.endswith(LIGHT_VISUALS) else "dark"


def shape_from_facts(facts: dict) -> Shape:
    """Read one entry of ``colliders`` or ``visuals``.

    Raises:
        ValueError: If the type is neither capsule nor sphere.
    """
    if facts["type"] == "sphere":
        return Shape(facts["name"], facts["radius"], 0.0, np.array(facts["center"]), np.array([0.0, 0.0, 0.0, 1.0]))
    require_known(facts["type"], ("capsule", "sphere"), f"type of shape '{facts['name']}'")
    start, end = np.array(facts["p0"]), np.array(facts["p1"])
    height = float(np.linalg.norm(end - start))
    return Shape(facts["name"], facts["radius"], height, (start + end) / 2.0, quat_from_z_axis(end - start))


def visual_shapes(robot, body_name: str) -> list[Shape]:
    """Visual shapes of a body: its capsule fits; of a foot its collision capsules, whose underside is the sole."""
    key = "colliders" if body_name in robot.foot_body_names else "visuals"
    return [shape_from_facts(facts) for facts in robot.facts["bodies"][body_name][key]]


def quat_from_z_axis(direction: np.ndarray) -> np.ndarray:
    """Shortest rotation that lays the Z axis along ``direction`` or its opposite, shape [4]."""
    axis = direction / np.linalg.norm(direction)
    axis = axis if axis[2] >= 0.0 else -axis
    quat = np.append(np.cross([0.0, 0.0, 1.0], axis), 1.0 + axis[2])
    return quat / np.linalg.norm(quat)


def principal_inertia(inertia: dict) -> tuple[np.ndarray, np.ndarray]:
    """Diagonalise an inertia tensor about the centre of mass.

    Args:
        inertia: Entries ixx, ixy, ixz, iyy, iyz, izz in the body frame [kg m^2].

    Returns:
        Principal moments [kg m^2], ascending, shape [3], and the orientation of the principal axes in the body frame,
        shape [4], so that I = R diag(moments) R^T.
    """
    xx, xy, xz, yy, yz, zz = (inertia[key] for key in ("ixx", "ixy", "ixz", "iyy", "iyz", "izz"))
    moments, axes = np.linalg.eigh(np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]))
    axes[:, 2] *= np.sign(np.linalg.det(axes))
    return moments, Rotation.from_matrix(axes).as_quat(canonical=True)


def rest_poses(robot) -> tuple[np.ndarray, np.ndarray]:
    """Body poses relative to the root with all joints at zero: positions [m] [num_bodies, 3], quaternions [.., 4]."""
    pos, rot = [np.zeros(3)], [Rotation.identity()]
    for joint, parent in enumerate(robot.parent_idx[1:]):
        pos.append(pos[parent] + rot[parent].apply(robot.joint_origin_pos[joint]))
        rot.append(rot[parent] * Rotation.from_quat(robot.joint_origin_quat[joint]))
    return np.stack(pos), np.stack([rotation.as_quat(canonical=True) for rotation in rot])
