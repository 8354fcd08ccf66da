"""Reward terms of the ``reward_*`` presets, none of which is on by default."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.actuation.binding import joint_torque
from whole_body_tracking.motion.geometry.ground import sole_heights
from whole_body_tracking.robots import get_robot
from whole_body_tracking.tracking.errors import exp_kernel
from whole_body_tracking.tracking.foot_and_tilt_errors import contact_match, squared_tilt
from whole_body_tracking.tracking.joint_drive import mechanical_power

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv
    from isaaclab.managers import SceneEntityCfg

    from .commands import MotionCommand


def joint_power(env: ManagerBasedRLEnv, asset_name: str = "robot") -> Tensor:
    """Mechanical power at the end of the step, |torque * velocity| summed over joints [W], shape [num_envs].

    The torque is :func:`whole_body_tracking.actuation.binding.joint_torque`. An env whose state is not finite counts as
    zero: its episode ends in the same step.
    """
    robot: Articulation = env.scene[asset_name]
    return mechanical_power(joint_torque(robot), robot.data.joint_vel.torch).nan_to_num(nan=0.0, posinf=0.0)


def foot_contact_match(env: ManagerBasedRLEnv, command_name: str) -> Tensor:
    """Reward feet that touch the ground when the reference's do: the share of such feet."""
    return contact_match(*env.command_manager.get_term(command_name).cached_this_step(_sole_heights))


def foot_height_exp(env: ManagerBasedRLEnv, command_name: str, std: float) -> Tensor:
    """Reward the soles' heights: exp(-error / std^2) of the mean square over feet, std in [m]."""
    ref, robot = env.command_manager.get_term(command_name).cached_this_step(_sole_heights)
    return _kernel((ref - robot).square().mean(-1), std)


def body_tilt_exp(env: ManagerBasedRLEnv, command_name: str, body_name: str, std: float) -> Tensor:
    """Reward a body's tilt against the vertical, whatever its heading: exp(-angle^2 / std^2), std in [rad]."""
    motion: MotionCommand = env.command_manager.get_term(command_name)
    body = motion.tracked_body_idx([body_name])[0]
    return _kernel(squared_tilt(motion.reference_bodies.quat_w[:, body], motion.robot_bodies.quat_w[:, body]), std)


def joint_pos_exp(env: ManagerBasedRLEnv, command_name: str, std: float, asset_cfg: SceneEntityCfg) -> Tensor:
    """Reward positions of some joints: exp(-error / std^2) of the mean square over joints, std in [rad]."""
    reference = env.command_manager.get_term(command_name).reference.joint_pos
    error = reference - env.scene[asset_cfg.name].data.joint_pos.torch
    return _kernel(error[:, asset_cfg.joint_ids].square().mean(-1), std)


def _kernel(squared_error: Tensor, std: float) -> Tensor:
    return exp_kernel(squared_error.nan_to_num(nan=torch.inf), std)


def _sole_heights(motion: MotionCommand) -> tuple[Tensor, Tensor]:
    """Heights of the soles of reference and robot above the env's origin [m], shape [num_envs, num_feet] each."""
    robot, origin = get_robot(motion._env.cfg.robot_name), motion._env.scene.env_origins[:, None]
    states = (motion.reference_bodies, motion.robot_bodies)
    ref, own = (sole_heights(robot, motion.body_names, state.pos_w - origin, state.quat_w) for state in states)
    return ref, own
