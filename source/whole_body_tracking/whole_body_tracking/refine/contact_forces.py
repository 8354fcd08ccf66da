"""Forces of the ground on the feet that explain a motion: non-negative least squares on friction pyramids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls
from scipy.spatial.transform import Rotation

from whole_body_tracking.robots import RobotModel

FRICTION = 0.7
"""Friction that the forces may use; the model's ground has 1, the rest is margin."""
NEAR_GROUND = 0.04
"""Height below which a point of a sole may carry force [m]; LAFAN1's feet stand at -2 to 3 cm."""
REGULARISATION = 1e-2
"""Weight of the forces' squares beside those of the unexplained wrench: spreads the load over the sole."""
EDGES = np.array([[FRICTION, 0, 1], [-FRICTION, 0, 1], [0, FRICTION, 1], [0, -FRICTION, 1]], dtype=np.float64)
"""Edges of a friction pyramid, each with 1 N upwards."""


@dataclass(frozen=True)
class FootPoints:
    """Corners of the soles of all frames."""

    pos_w: np.ndarray
    """Positions [m], shape [num_frames, num_feet, num_corners, 3]."""

    @property
    def near_ground(self) -> np.ndarray:
        """Which may carry force, shape [num_frames, num_feet, num_corners]."""
        return self.pos_w[..., 2] < NEAR_GROUND


def sole_corners(robot: RobotModel) -> np.ndarray:
    """Corners of a sole in the frame of its foot [m], shape [num_corners, 3]."""
    corners = np.array(robot.facts["foot"]["four_point_spheres"]["centers"], dtype=np.float64)
    corners[:, 2] = robot.sole_height
    return corners


def foot_points(robot: RobotModel, foot_pos_w: np.ndarray, foot_quat_w: np.ndarray) -> FootPoints:
    """Corners of the soles in the world.

    Args:
        robot: The robot.
        foot_pos_w: Positions of its feet [m], shape [num_frames, num_feet, 3].
        foot_quat_w: Orientations (x, y, z, w), shape [num_frames, num_feet, 4].
    """
    corners = sole_corners(robot)
    turned = Rotation.from_quat(foot_quat_w.reshape(-1, 4)).as_matrix() @ corners.T
    turned = np.swapaxes(turned, -1, -2).reshape(*foot_pos_w.shape[:2], *corners.shape)
    return FootPoints(foot_pos_w[:, :, None] + turned)


def solve_contact_forces(points: FootPoints, root_pos_w: np.ndarray, wrench: np.ndarray) -> np.ndarray:
    """Forces on the corners that come closest to a wrench on the root.

    minimises |A x - wrench|^2 + (1e-2)^2 |x|^2 over x >= 0, with a column of A for each edge of each pyramid.

    Args:
        points: Corners of the soles.
        root_pos_w: Where the wrench acts [m], shape [num_frames, 3].
        wrench: Force [N] and moment about the root [N m] in world axes, shape [num_frames, 6].

    Returns:
        Forces in the world [N], shape [num_frames, num_feet, num_corners, 3]; zero for corners in the air.
    """
    shape = points.pos_w.shape
    corners = points.pos_w.reshape(shape[0], -1, 3)
    levers = corners - root_pos_w[:, None]
    columns = np.concatenate(
        [
            np.broadcast_to(EDGES, (*corners.shape[:2], *EDGES.shape)),
            np.cross(levers[:, :, None], EDGES[None, None]),
        ],
        axis=-1,
    )
    near = points.near_ground.reshape(shape[0], -1)
    forces, regularisation = np.zeros_like(corners), REGULARISATION * np.eye(4 * near.shape[1])
    aims = np.hstack([wrench, np.zeros((shape[0], 4 * near.shape[1]))])
    for frame in np.flatnonzero(near.any(axis=1)):
        edges = columns[frame, near[frame]].reshape(-1, 6).T
        count = edges.shape[1]
        system = np.concatenate([edges, regularisation[:count, :count]])
        strengths, _ = nnls(system, aims[frame, : 6 + count])
        forces[frame, near[frame]] = strengths.reshape(-1, len(EDGES)) @ EDGES
    return forces.reshape(shape)
