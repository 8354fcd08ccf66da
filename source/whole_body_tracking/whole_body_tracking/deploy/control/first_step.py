"""The pose to stand in before a walk, and after it: at rest, where the walk in passing would come to rest."""

from __future__ import annotations

import logging

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.gait.planning.leg_kinematics import LegSolver, LegTargets
from whole_body_tracking.motion.geometry.chain import Poses
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_simulation import RobotState
from whole_body_tracking.sim2sim.gait_walker import WalkFrame

from .pose import Body

logger = logging.getLogger(__name__)

GRAVITY = 9.81
"""[m/s^2]"""
ITERATIONS = 30
"""Newton steps at most."""
SOLVED = 1e-4
"""Residual of the feet [m, rad] and of the centre of mass [m] up to which a pose is taken."""


def resting_pose(frame: WalkFrame, spec: PolicySpec, robot: RobotModel, body: Body) -> WalkFrame:
    """The frame at rest, with its feet where they are and its centre of mass where the motion would carry it.

    A walk is never balanced when it is frozen: at a touchdown the slowest one moves at a quarter of a metre per second
    towards the foot that lands. What decides where a body falls is its capture point, the divergent component of motion
    xi = x + x' / w of the linear inverted pendulum with w^2 = g / height. A robot that rests over the walk's xi has the
    same one, so that the walk's next step fits it, and a walking robot that is stopped there comes to rest by itself.

    Args:
        frame: With both feet on the ground.
        spec: Of the policy.
        robot: Its robot, with two legs of six joints.
        body: Its forward kinematics.

    Returns:
        The frame with other legs and another place of the root, without velocities; the frame itself, at rest, if the
        legs do not reach.
    """
    root = spec.body_names.index(robot.body_names[0])
    feet = [spec.body_names.index(name) for name in robot.foot_body_names]
    moving = RobotState(*(values[root] for values in frame[:4]), frame.joint_pos, frame.joint_vel)
    com, velocity = body.center_of_mass(moving)
    capture = com + velocity * np.sqrt(body.height_over_ground(moving) / GRAVITY)
    order = [spec.joint_names.index(name) for name in robot.joint_names]
    poses = Poses(*(torch.from_numpy(v)[None] for v in (moving.root_pos_w, moving.root_quat_w, frame.joint_pos[order])))
    targets = LegTargets(
        foot_pos=torch.from_numpy(frame.body_pos_w[feet])[None],
        foot_rot=torch.from_numpy(Rotation.from_quat(frame.body_quat_w[feet]).as_matrix())[None],
        com_xy=torch.from_numpy(capture[:2])[None],
    )
    solved, rest = LegSolver(robot).solve(poses, targets, ITERATIONS)
    joint_pos = frame.joint_pos.copy()
    joint_pos[order] = solved.joint_pos[0].numpy()
    within = (joint_pos >= spec.soft_joint_pos_lower) & (joint_pos <= spec.soft_joint_pos_upper)
    if rest.item() > SOLVED or not within.all():
        logger.warning("The legs do not reach the pose to rest in (%.1e left); standing as the walk does.", rest.item())
        solved, joint_pos = poses, frame.joint_pos
    pose = solved.root_pos[0].numpy(), solved.root_quat[0].numpy()
    state = RobotState(*pose, np.zeros(3), np.zeros(3), joint_pos, np.zeros(len(joint_pos)))
    return WalkFrame(*body.bodies(state, spec.body_names), state.joint_pos, state.joint_vel)
