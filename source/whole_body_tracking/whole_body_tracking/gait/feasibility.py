"""Whether ground and motors can give what a motion takes: the root residual of refine, for many motions."""

from __future__ import annotations

import numpy as np

from whole_body_tracking.refine.contact_forces import foot_points, solve_contact_forces
from whole_body_tracking.robots import RobotModel

from .dynamics import GRAVITY, GroundReaction


def root_residual(
    robot: RobotModel, reaction: GroundReaction, root_pos_w: np.ndarray, foot_pos_w: np.ndarray, foot_quat_w: np.ndarray
) -> np.ndarray:
    """What the ground cannot give with friction and pressing feet only, in body weights, shape [num_frames].

    The measure of :mod:`whole_body_tracking.refine.inverse_dynamics`: forces on the corners of soles near the ground
    explain force and moment as well as they can; the rest is the norm of the missing force and of the missing moment
    over the root's standing height, over the robot's weight.

    Args:
        robot: The robot.
        reaction: What the motion takes.
        root_pos_w: Root positions [m], shape [num_frames, 3].
        foot_pos_w: Positions of the feet [m], shape [num_frames, num_feet, 3].
        foot_quat_w: Their orientations (x, y, z, w), shape [num_frames, num_feet, 4].
    """
    points = foot_points(robot, foot_pos_w, foot_quat_w)
    moment = reaction.moment + np.cross(reaction.com_w - root_pos_w, reaction.force)
    contact = solve_contact_forces(points, root_pos_w, np.hstack((reaction.force, moment)))
    missing_force = reaction.force - contact.sum((1, 2))
    missing_moment = moment - np.cross(points.pos_w - root_pos_w[:, None, None], contact).sum((1, 2))
    rest = np.hypot(
        np.linalg.norm(missing_force, axis=-1), np.linalg.norm(missing_moment, axis=-1) / robot.default_root_height
    )
    return rest / (GRAVITY * robot.total_mass)
