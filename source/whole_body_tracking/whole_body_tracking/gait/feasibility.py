"""Whether ground and motors can give what a motion takes: the root residual of refine, for many motions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whole_body_tracking.refine.contact_forces import foot_points, solve_contact_forces
from whole_body_tracking.robots import RobotModel

from .dynamics import GRAVITY, GroundReaction
from .planning.parameters import GaitParameters, ParameterSchedule
from .planning.planner import GaitPlan, plan_gait

LARGEST_RESIDUAL, SHARE = 0.2, 95.0
"""A gait is refused whose root residual is larger in more than 5 % of its frames [body weights]."""
SECONDS, FPS = 2.0, 30.0
"""Length and rate of the walk that is planned to judge a gait [s], [Hz]."""


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


def residual_of(plan: GaitPlan) -> np.ndarray:
    """Root residual of a plan [body weights], shape [num_frames]."""
    feet = [plan.robot.body_names.index(name) for name in plan.robot.foot_body_names]
    pos, quat = plan.body_pos_w[:, feet].numpy(), plan.body_quat_w[:, feet].numpy()
    return root_residual(plan.robot, plan.reaction, plan.root_pos, pos, quat)


def is_carried(residual: np.ndarray) -> bool:
    """Whether ground and friction can give what a motion takes, from its root residual [body weights], [num_frames]."""
    return bool(np.percentile(residual, SHARE) <= LARGEST_RESIDUAL)


def plan_sample(given: Mapping[str, float], robot: RobotModel) -> GaitPlan:
    """Plan a short walk of constant parameters.

    Raises:
        ValueError: If the legs cannot do it.
    """
    return plan_gait(ParameterSchedule.constant(GaitParameters.of(given)), SECONDS, FPS, robot)


def refusal_of(given: Mapping[str, float], robot: RobotModel) -> str | None:
    """Why a gait of constant parameters is not possible, in a word or two; None if it is.

    Args:
        given: Gait parameters by name; the others have their defaults.
        robot: Who walks.
    """
    try:
        plan = plan_sample(given, robot)
    except ValueError as error:
        return short_reason(str(error))
    return None if is_carried(residual_of(plan)) else "root residual"


def short_reason(message: str) -> str:
    """Short name of a refusal by the planner."""
    for part, name in (
        ("balance", "balance"),
        ("stride", "stride"),
        ("_joint", "joint limits"),
        ("pelvis", "reach"),
        ("reach", "reach"),
    ):
        if part in message:
            return name
    return message
