"""Reward terms of ``presets=reward_com``: the centre of mass of robot and reference.

Masses and their places are those that the robot has in each env, randomised or not, for both: a robot that is on its
reference has no error. Clips store the tracked bodies alone, so where the other bodies of the reference are follows
from its joints.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.motion.geometry.kinematics import forward_kinematics
from whole_body_tracking.motion.geometry.rotations import quat_exp, quat_mul
from whole_body_tracking.robots import RobotModel, get_robot
from whole_body_tracking.tracking.center_of_mass import center_of_mass, center_of_mass_velocity
from whole_body_tracking.tracking.errors import anchor_relative_targets, exp_kernel, squared_distance

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from .commands import MotionCommand

HALF_STEP = 0.002
"""Time before and after the instant between which the reference's velocity is the difference [s]."""


@dataclass(frozen=True)
class MassCenter:
    """A centre of mass in the world frame."""

    pos_w: Tensor
    """[m], shape [num_envs, 3]."""
    lin_vel_w: Tensor
    """[m/s], shape [num_envs, 3]."""


def track_com_pos_exp(env: ManagerBasedRLEnv, command_name: str, std: float) -> Tensor:
    """Reward the centre of mass after re-anchoring, as for bodies: exp(-squared distance / std^2), std in [m]."""
    motion: MotionCommand = env.command_manager.get_term(command_name)
    ref, robot = motion.cached_this_step(_centers)
    anchor = motion.anchor_idx
    anchors = [s.pos_w[:, anchor] for s in (motion.reference_bodies, motion.robot_bodies)]
    headings = [s.quat_w[:, anchor] for s in (motion.reference_bodies, motion.robot_bodies)]
    target, _ = anchor_relative_targets(
        ref.pos_w[:, None], headings[0][:, None], anchors[0], headings[0], anchors[1], headings[1]
    )
    return _kernel(squared_distance(target[:, 0], robot.pos_w), std)


def track_com_lin_vel_exp(env: ManagerBasedRLEnv, command_name: str, std: float) -> Tensor:
    """Reward the world velocity of the centre of mass: exp(-squared difference / std^2), std in [m/s]."""
    ref, robot = env.command_manager.get_term(command_name).cached_this_step(_centers)
    return _kernel(squared_distance(ref.lin_vel_w, robot.lin_vel_w), std)


def _kernel(squared_error: Tensor, std: float) -> Tensor:
    return exp_kernel(squared_error.nan_to_num(nan=torch.inf), std)


def _centers(motion: MotionCommand) -> tuple[MassCenter, MassCenter]:
    """Centres of mass of reference and robot."""
    robot, data = get_robot(motion._env.cfg.robot_name), motion.robot.data
    names = (tuple(motion.robot.body_names), tuple(motion.robot.joint_names))
    bodies, joints = _orders(robot.name, *names, torch.device(motion.device))
    mass = data.body_mass.torch.index_select(1, bodies)
    com_b = data.body_com_pos_b.torch.index_select(1, bodies)
    pose, velocity = (v.torch.index_select(1, bodies) for v in (data.body_link_pose_w, data.body_link_vel_w))
    own = MassCenter(
        center_of_mass(pose[..., :3], pose[..., 3:], com_b, mass),
        center_of_mass_velocity(velocity[..., :3], velocity[..., 3:], pose[..., 3:], com_b, mass),
    )
    return _of_reference(motion, robot, joints, com_b, mass), own


def _of_reference(motion: MotionCommand, robot: RobotModel, joints: Tensor, com_b: Tensor, mass: Tensor) -> MassCenter:
    """Centre of mass of the reference: mean and difference of those a moment earlier and later on its velocities."""
    ref, root = motion.reference, motion.root_idx
    joint_pos, joint_vel = ref.joint_pos.index_select(1, joints), ref.joint_vel.index_select(1, joints)
    quat, turn = ref.body_quat_w[:, root], ref.body_ang_vel_w[:, root] * HALF_STEP
    joint_pos = torch.cat((joint_pos - HALF_STEP * joint_vel, joint_pos + HALF_STEP * joint_vel))
    quat = torch.cat((quat_mul(quat_exp(-turn), quat), quat_mul(quat_exp(turn), quat)))
    # From the root on, so that float32 has the digits of a robot's size and not of its place.
    pos, quat = forward_kinematics(robot, torch.zeros_like(quat[:, :3]), quat, joint_pos)
    before, after = center_of_mass(pos, quat, com_b.repeat(2, 1, 1), mass.repeat(2, 1)).chunk(2)
    root_pos = ref.body_pos_w[:, root] + motion._env.scene.env_origins
    lin_vel = ref.body_lin_vel_w[:, root] + (after - before) / (2.0 * HALF_STEP)
    return MassCenter(root_pos + 0.5 * (before + after), lin_vel)


@lru_cache(maxsize=8)
def _orders(
    robot_name: str, body_names: tuple[str, ...], joint_names: tuple[str, ...], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Where bodies and joints of the model are among the simulator's, on the device; copied there once."""
    robot = get_robot(robot_name)
    bodies = [body_names.index(name) for name in robot.body_names]
    joints = [joint_names.index(name) for name in robot.joint_names]
    return torch.tensor(bodies, device=device), torch.tensor(joints, device=device)
