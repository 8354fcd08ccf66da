"""Observations of the tracking task. Orientations are the first two columns of a rotation matrix, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from isaaclab.utils.math import subtract_frame_transforms

from .tracking_errors import BodyState, rotation_columns

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedEnv

    from .commands import MotionCommand


def motion_anchor_pos_b(env: ManagerBasedEnv, command_name: str) -> Tensor:
    """Reference anchor position in the robot's anchor frame [m], shape [num_envs, 3]."""
    return _reference_anchor_in_robot_anchor(env.command_manager.get_term(command_name))[0]


def motion_anchor_ori_b(env: ManagerBasedEnv, command_name: str) -> Tensor:
    """Reference anchor orientation in the robot's anchor frame, shape [num_envs, 6]."""
    return rotation_columns(_reference_anchor_in_robot_anchor(env.command_manager.get_term(command_name))[1])


def robot_body_pos_b(env: ManagerBasedEnv, command_name: str) -> Tensor:
    """Tracked bodies' positions in the robot's anchor frame [m], shape [num_envs, 3 * num_bodies]."""
    return _bodies_in_anchor(env.command_manager.get_term(command_name))[0].flatten(1)


def robot_body_ori_b(env: ManagerBasedEnv, command_name: str) -> Tensor:
    """Tracked bodies' orientations in the robot's anchor frame, shape [num_envs, 6 * num_bodies]."""
    return rotation_columns(_bodies_in_anchor(env.command_manager.get_term(command_name))[1]).flatten(1)


def base_lin_vel(env: ManagerBasedEnv, asset_name: str = "robot") -> Tensor:
    """Linear velocity of the root link in its own frame [m/s], shape [num_envs, 3]."""
    robot: Articulation = env.scene[asset_name]
    return robot.data.root_link_lin_vel_b.torch


def base_ang_vel(env: ManagerBasedEnv, asset_name: str = "robot") -> Tensor:
    """Angular velocity of the root link in its own frame [rad/s], shape [num_envs, 3]."""
    robot: Articulation = env.scene[asset_name]
    return robot.data.root_link_ang_vel_b.torch


def _reference_anchor_in_robot_anchor(motion: MotionCommand) -> tuple[Tensor, Tensor]:
    ref, robot, anchor = motion.reference_bodies, motion.robot_bodies, motion.anchor_idx
    return subtract_frame_transforms(
        robot.pos_w[:, anchor], robot.quat_w[:, anchor], ref.pos_w[:, anchor], ref.quat_w[:, anchor]
    )


def _bodies_in_anchor(motion: MotionCommand) -> tuple[Tensor, Tensor]:
    robot: BodyState = motion.robot_bodies
    anchor_pos_w = robot.pos_w[:, motion.anchor_idx, None].expand_as(robot.pos_w)
    anchor_quat_w = robot.quat_w[:, motion.anchor_idx, None].expand_as(robot.quat_w)
    return subtract_frame_transforms(anchor_pos_w, anchor_quat_w, robot.pos_w, robot.quat_w)
