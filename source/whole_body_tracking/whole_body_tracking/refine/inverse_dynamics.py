"""Feed-forward joint targets of a clip by inverse dynamics with contact forces at the feet."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import G1, RobotModel
from whole_body_tracking.robots.mujoco_model import build_model

from .contact_forces import foot_points, solve_contact_forces
from .native_physics import drives_of
from .reference import ReferenceStates, reference_states

VELOCITY_SMOOTHING = 2.0
"""Standard deviation of the Gaussian over velocities before they are differentiated [frames]."""
TORQUE_SMOOTHING = 1.0
"""The same over joint torques: contacts switch from one frame to the next, motors should not."""
GRAVITY = 9.81
"""[m/s^2]"""


@dataclass(frozen=True)
class InverseDynamics:
    """What inverse dynamics says of a clip; joints in the clip's order."""

    joint_target: np.ndarray
    """Joint targets [rad] that the step to each frame holds, shape [num_frames, num_joints]."""
    joint_torque: np.ndarray
    """Torques that the motion takes, within the effort limits [N m], shape [num_frames, num_joints]."""
    root_residual: np.ndarray
    """What neither motors nor ground can give, in body weights, shape [num_frames]: the norm of the missing force and
    of the missing moment over the root's standing height, over the robot's weight."""
    contact_forces: np.ndarray
    """Force of the ground on each foot in the world [N], shape [num_frames, num_feet, 3]."""


def inverse_dynamics_targets(clip: MotionClip, robot: RobotModel = G1) -> InverseDynamics:
    """Joint targets that make the drives give the torques which a clip takes.

    The accelerations are central differences of smoothed velocities. Corners of the soles near the ground carry forces
    on friction pyramids that explain the root's wrench as well as they can; the rest of it is the root residual. The
    drive's law force = kp (target - q) - kd q' gives target = q + (torque + kd q') / kp, averaged over the step's ends.

    Args:
        clip: The motion.
        robot: Whose clip it is.

    Raises:
        ValueError: If the clip is not one of this robot, its rate does not fit the physics, or it is below the ground.
    """
    reference = reference_states(clip, robot)
    force = generalized_force(reference)
    contact = _contact_forces(reference, force)
    residual, torque = _without_contacts(reference, force, *contact)
    torque = gaussian_filter1d(torque, TORQUE_SMOOTHING, axis=0).clip(-robot.effort_limit, robot.effort_limit)
    target = reference.joint_pos + (torque + robot.damping * reference.qvel[:, 6:]) / robot.stiffness
    # A target is held from one frame to the next: the middle between both is what it should be on average.
    target[1:] = 0.5 * (target[1:] + target[:-1])
    return InverseDynamics(
        joint_target=reference.in_clip_order(target),
        joint_torque=reference.in_clip_order(torque),
        root_residual=residual.astype(np.float32),
        contact_forces=contact[1].sum(2).astype(np.float32),
    )


@dataclass(frozen=True)
class GeneralizedForce:
    """Forces that a motion takes without contacts, and where the joints are, in the robot's order."""

    root_wrench: np.ndarray
    """Force [N] and moment about the root [N m] in world axes, shape [num_frames, 6]."""
    joint_torque: np.ndarray
    """[N m], shape [num_frames, num_joints]."""
    joint_pos_w: np.ndarray
    """A point on each joint's axis [m], shape [num_frames, num_joints, 3]."""
    joint_axis_w: np.ndarray
    """Direction of each joint's axis, shape [num_frames, num_joints, 3]."""


def generalized_force(reference: ReferenceStates) -> GeneralizedForce:
    """Inverse dynamics of every frame with contacts, joint limits and drives switched off."""
    model = build_model(reference.robot, drives_of(reference.robot, reference.control_dt))
    disabled = mujoco.mjtDisableBit
    model.opt.disableflags |= int(disabled.mjDSBL_CONTACT | disabled.mjDSBL_LIMIT | disabled.mjDSBL_ACTUATION)
    smooth = gaussian_filter1d(reference.qvel, VELOCITY_SMOOTHING, axis=0)
    qacc = np.gradient(smooth, reference.control_dt, axis=0)
    data, frames = mujoco.MjData(model), reference.num_frames
    force = np.empty((frames, model.nv))
    anchors, axes = np.empty((2, frames, model.njnt, 3))
    for frame in range(frames):
        data.qpos[:], data.qvel[:], data.qacc[:] = reference.qpos[frame], reference.qvel[frame], qacc[frame]
        mujoco.mj_inverse(model, data)
        force[frame], anchors[frame], axes[frame] = data.qfrc_inverse, data.xanchor, data.xaxis
    turn = Rotation.from_quat(np.roll(reference.qpos[:, 3:7], -1, axis=-1))
    wrench = np.hstack([force[:, :3], turn.apply(force[:, 3:6])])
    return GeneralizedForce(wrench, force[:, 6:], anchors[:, 1:], axes[:, 1:])


def _contact_forces(reference: ReferenceStates, force: GeneralizedForce) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the soles and the forces on them, each of shape [num_frames, num_feet, num_corners, 3]."""
    clip, feet = reference.clip, reference.clip.body_indices(reference.robot.foot_body_names)
    points = foot_points(reference.robot, clip.body_pos_w[:, feet].astype(np.float64), clip.body_quat_w[:, feet])
    return points.pos_w, solve_contact_forces(points, reference.qpos[:, :3], force.root_wrench)


def _without_contacts(
    reference: ReferenceStates, force: GeneralizedForce, points: np.ndarray, contact: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Root residual in body weights [num_frames] and joint torques [N m] that are left beside the contact forces."""
    root = reference.qpos[:, None, None, :3]
    missing_force = force.root_wrench[:, :3] - contact.sum((1, 2))
    missing_moment = force.root_wrench[:, 3:] - np.cross(points - root, contact).sum((1, 2))
    height, weight = reference.robot.default_root_height, GRAVITY * reference.robot.total_mass
    residual = np.hypot(np.linalg.norm(missing_force, axis=-1), np.linalg.norm(missing_moment, axis=-1) / height)
    torque = force.joint_torque.copy()
    for foot, name in enumerate(reference.robot.foot_body_names):
        total = contact[:, foot].sum(1)
        moment = np.cross(points[:, foot], contact[:, foot]).sum(1)
        for joint in leg_joints(reference.robot, name):
            lever = moment - np.cross(force.joint_pos_w[:, joint], total)
            torque[:, joint] -= (force.joint_axis_w[:, joint] * lever).sum(-1)
    return residual / weight, torque


def leg_joints(robot: RobotModel, body_name: str) -> list[int]:
    """Joints between the root and a body, from the body upwards."""
    joints, body = [], robot.body_names.index(body_name)
    while body > 0:
        joints.append(body - 1)
        body = int(robot.parent_idx[body])
    return joints
