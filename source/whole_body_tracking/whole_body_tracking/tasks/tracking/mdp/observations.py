"""Observations of the tracking task. Orientations are the first two columns of a rotation matrix, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from isaaclab.utils.math import quat_apply_inverse
from torch import Tensor

from whole_body_tracking.tracking.errors import in_frame, rotation_columns

if TYPE_CHECKING:
    from isaaclab.assets import Articulation, ArticulationData
    from isaaclab.envs import ManagerBasedEnv

    from .commands import MotionCommand


def motion_anchor_pos_b(env: ManagerBasedEnv, command_name: str) -> Tensor:
    """Reference anchor position in the robot's anchor frame [m], shape [num_envs, 3]."""
    return env.command_manager.get_term(command_name).cached_this_step(_reference_anchor_in_robot_anchor)[0]


def motion_anchor_ori_b(env: ManagerBasedEnv, command_name: str) -> Tensor:
    """Reference anchor orientation in the robot's anchor frame, shape [num_envs, 6]."""
    return rotation_columns(
        env.command_manager.get_term(command_name).cached_this_step(_reference_anchor_in_robot_anchor)[1]
    )


def robot_body_pos_b(env: ManagerBasedEnv, command_name: str) -> Tensor:
    """Tracked bodies' positions in the robot's anchor frame [m], shape [num_envs, 3 * num_bodies]."""
    return env.command_manager.get_term(command_name).cached_this_step(_bodies_in_anchor)[0].flatten(1)


def robot_body_ori_b(env: ManagerBasedEnv, command_name: str) -> Tensor:
    """Tracked bodies' orientations in the robot's anchor frame, shape [num_envs, 6 * num_bodies]."""
    return rotation_columns(env.command_manager.get_term(command_name).cached_this_step(_bodies_in_anchor)[1]).flatten(
        1
    )


def base_lin_vel(env: ManagerBasedEnv, asset_name: str = "robot") -> Tensor:
    """Linear velocity of the root link in its own frame [m/s], shape [num_envs, 3]."""
    data = env.scene[asset_name].data
    return quat_apply_inverse(data.root_link_quat_w.torch, root_link_lin_vel_w(data))


def root_link_lin_vel_w(data: ArticulationData) -> Tensor:
    """Linear velocity of the root link in the world frame [m/s], shape [num_envs, 3].

    Read as that of the first body: with Isaac Lab 3.0.0's OvPhysX ``root_link_vel_w`` is the velocity of the root's
    centre of mass, 6 cm/s off while a G1 walks.
    """
    return data.body_link_vel_w.torch[:, 0, :3]


def base_ang_vel(env: ManagerBasedEnv, asset_name: str = "robot") -> Tensor:
    """Angular velocity of the root link in its own frame [rad/s], shape [num_envs, 3]."""
    robot: Articulation = env.scene[asset_name]
    return robot.data.root_link_ang_vel_b.torch


def root_height(env: ManagerBasedEnv, asset_name: str = "robot") -> Tensor:
    """Height of the root link over its env's origin [m], shape [num_envs, 1]."""
    robot: Articulation = env.scene[asset_name]
    return robot.data.root_link_pos_w.torch[:, 2:] - env.scene.env_origins[:, 2:]


def root_up_b(env: ManagerBasedEnv, asset_name: str = "robot") -> Tensor:
    """The world's up axis in the root link's frame, shape [num_envs, 3]."""
    robot: Articulation = env.scene[asset_name]
    return -robot.data.projected_gravity_b.torch


def motion_one_hot(env: ManagerBasedEnv, command_name: str) -> Tensor:
    """One-hot id of the tracked clip, shape [num_envs, num_clips], in the order of the library's names."""
    motion: MotionCommand = env.command_manager.get_term(command_name)
    return torch.nn.functional.one_hot(motion.clip_ids, motion.library.num_clips).float()


def preview_joint_pos(env: ManagerBasedEnv, command_name: str) -> Tensor:
    """Reference joint positions to come [rad], shape [num_envs, num_steps * num_joints]."""
    motion: MotionCommand = env.command_manager.get_term(command_name)
    return motion.preview.joint_pos.reshape(env.num_envs, -1)


def preview_anchor_pos_b(env: ManagerBasedEnv, command_name: str) -> Tensor:
    """Reference anchor positions to come in the robot's anchor frame [m], shape [num_envs, num_steps * 3]."""
    return _preview_anchor_in_robot_anchor(env, command_name)[0].flatten(1)


def preview_anchor_ori_b(env: ManagerBasedEnv, command_name: str) -> Tensor:
    """Reference anchor orientations to come in the robot's anchor frame, shape [num_envs, num_steps * 6]."""
    return rotation_columns(_preview_anchor_in_robot_anchor(env, command_name)[1]).flatten(1)


def _preview_anchor_in_robot_anchor(env: ManagerBasedEnv, command_name: str) -> tuple[Tensor, Tensor]:
    motion: MotionCommand = env.command_manager.get_term(command_name)
    robot, anchor = motion.robot_bodies, motion.anchor_idx
    quat_w = motion.preview.body_quat_w[:, anchor].reshape(env.num_envs, -1, 4)
    pos_w = motion.preview.body_pos_w[:, anchor].reshape(env.num_envs, -1, 3) + env.scene.env_origins[:, None]
    return in_frame(pos_w, quat_w, robot.pos_w[:, anchor, None], robot.quat_w[:, anchor, None])


def _reference_anchor_in_robot_anchor(motion: MotionCommand) -> tuple[Tensor, Tensor]:
    ref, robot, anchor = motion.reference_bodies, motion.robot_bodies, motion.anchor_idx
    return in_frame(ref.pos_w[:, anchor], ref.quat_w[:, anchor], robot.pos_w[:, anchor], robot.quat_w[:, anchor])


def _bodies_in_anchor(motion: MotionCommand) -> tuple[Tensor, Tensor]:
    robot, anchor = motion.robot_bodies, motion.anchor_idx
    return in_frame(robot.pos_w, robot.quat_w, robot.pos_w[:, anchor, None], robot.quat_w[:, anchor, None])
