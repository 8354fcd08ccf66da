"""How well a robot walks by command: pure functions of trajectories of shape [num_steps, num_rollouts, ...].

``running`` [num_steps, num_rollouts] says which steps a rollout was still up. A rollout without a step that counts
gives NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from whole_body_tracking.motion.analysis.quality import CONTACT_HEIGHT
from whole_body_tracking.motion.geometry.ground import collider_points
from whole_body_tracking.motion.geometry.rotations import quat_rotate
from whole_body_tracking.robots import RobotModel

POSES_AT_ONCE = 65_536
"""Poses that are compared with the set at a time, so that the table of distances stays small."""


def heading(quat_xyzw: Tensor) -> Tensor:
    """Heading of bodies [rad]: the direction of the x axis in the horizontal plane, shape [...].

    Args:
        quat_xyzw: Orientations in the world (x, y, z, w), shape [..., 4].
    """
    x, y, z, w = quat_xyzw.unbind(-1)
    return torch.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y.square() + z.square()))


def in_heading_frame(vector_w: Tensor, heading: Tensor) -> Tensor:
    """Horizontal part of world vectors, turned by minus the heading: forward and to the left, shape [..., 2].

    Args:
        vector_w: Vectors in the world, shape [..., 3].
        heading: [rad], shape [...].
    """
    cos, sin = heading.cos(), heading.sin()
    x, y = vector_w[..., 0], vector_w[..., 1]
    return torch.stack((cos * x + sin * y, cos * y - sin * x), dim=-1)


def running_until_fall(fallen: Tensor) -> Tensor:
    """Steps before the first fall, shape [num_steps, num_rollouts]; the step of the fall is not one.

    Args:
        fallen: Whether the robot has fallen at each step, same shape.
    """
    return fallen.int().cumsum(0) == 0


def falls_per_minute(fell: Tensor, survived_s: Tensor) -> float:
    """Falls of all rollouts over the minutes that they were up; a rollout ends with its fall.

    Args:
        fell: Whether each rollout fell, shape [num_rollouts].
        survived_s: Time that each was up [s], same shape.
    """
    minutes = float(survived_s.double().sum()) / 60.0
    return float(fell.sum()) / minutes if minutes > 0.0 else float("inf")


def velocity_error(velocity: Tensor, command: Tensor, running: Tensor, window: int, settle: int) -> Tensor:
    """Distance between the command and the velocity averaged over a window, mean over windows [m/s], [num_rollouts].

    A walking root sways by some 0.1 m/s within a stride, which no command asks to stop: hence the window of about one
    stride. A window of one step gives the error at each instant.

    Args:
        velocity: Forward and lateral velocity in the heading frame [m/s], shape [num_steps, num_rollouts, 2].
        command: What was asked for [m/s], shape [num_rollouts, 2].
        running: Steps that count, shape [num_steps, num_rollouts].
        window: Steps of a window; all of them have to be running ones.
        settle: First steps, in which the robot gets going: no window reaches into them.
    """
    velocity, running = torch.where(running[..., None], velocity, 0.0)[settle:], running[settle:]
    if len(velocity) < window:
        return command.new_full((len(command),), torch.nan)
    means = velocity.unfold(0, window, 1).mean(-1)
    counts = running.unfold(0, window, 1).all(-1)
    return _mean((means - command).norm(dim=-1), counts)


def heading_error(heading: Tensor, command: Tensor, running: Tensor, settle: int) -> Tensor:
    """Mean angle between heading and command [rad], shape [num_rollouts].

    Args:
        heading: Of the root [rad], shape [num_steps, num_rollouts].
        command: What was asked for [rad], shape [num_rollouts].
        running: Steps that count, shape [num_steps, num_rollouts].
        settle: First steps, in which the robot still turns, that do not count.
    """
    difference = heading[settle:] - command
    return _mean(torch.atan2(difference.sin(), difference.cos()).abs(), running[settle:])


def foot_slip(
    robot: RobotModel, body_names: Sequence[str], pos_w: Tensor, quat_w: Tensor, lin_vel_w: Tensor, ang_vel_w: Tensor,
    running: Tensor,
) -> Tensor:  # fmt: skip
    """Mean horizontal speed of the lowest point of each foot that touches the ground [m/s], shape [num_rollouts].

    The point is that of the foot's colliders which is lowest at the instant, with the velocity v + omega x r, so that a
    foot that rolls over its edge does not slip. It touches the ground below :data:`CONTACT_HEIGHT`.

    Args:
        robot: Its feet and their colliders.
        body_names: Bodies of the states; the feet are among them.
        pos_w: Body positions above the ground [m], shape [num_steps, num_rollouts, num_bodies, 3].
        quat_w: Body orientations (x, y, z, w), shape [..., 4].
        lin_vel_w: Velocities of the link frames' origins [m/s], shape [..., 3].
        ang_vel_w: [rad/s], shape [..., 3].
        running: Steps that count, shape [num_steps, num_rollouts].
    """
    speeds, touching = [], []
    for name in robot.foot_body_names:
        body = list(body_names).index(name)
        centers, radii = zip(*collider_points(robot, name), strict=True)
        arms = quat_rotate(quat_w[..., body, None, :], pos_w.new_tensor(centers))
        arms[..., 2] -= pos_w.new_tensor(radii)
        lowest = arms[..., 2].argmin(-1)[..., None, None].expand(*arms.shape[:-2], 1, 3)
        arm = arms.gather(-2, lowest).squeeze(-2)
        velocity = lin_vel_w[..., body, :] + torch.linalg.cross(ang_vel_w[..., body, :], arm)
        speeds.append(velocity[..., :2].norm(dim=-1))
        touching.append(running & (pos_w[..., body, 2] + arm[..., 2] < CONTACT_HEIGHT))
    return _mean(torch.cat(speeds), torch.cat(touching))


def nearest_pose_distance(joint_pos: Tensor, poses: Tensor) -> Tensor:
    """Root mean square over joints of the distance to the nearest pose of a set [rad], shape [...].

    Args:
        joint_pos: Joint positions [rad], shape [..., num_joints].
        poses: The set [rad], shape [num_poses, num_joints], the joints in the same order.
    """
    flat = joint_pos.reshape(-1, joint_pos.shape[-1])
    nearest = [torch.cdist(part, poses).amin(-1) for part in flat.split(POSES_AT_ONCE)]
    return torch.cat(nearest).reshape(joint_pos.shape[:-1]) / joint_pos.shape[-1] ** 0.5


def mean_pose_distance(joint_pos: Tensor, poses: Tensor, running: Tensor) -> Tensor:
    """Mean over steps of :func:`nearest_pose_distance` [rad], shape [num_rollouts].

    Args:
        joint_pos: Joint positions [rad], shape [num_steps, num_rollouts, num_joints].
        poses: The set [rad], shape [num_poses, num_joints].
        running: Steps that count, shape [num_steps, num_rollouts].
    """
    distances = torch.full(running.shape, torch.nan, dtype=joint_pos.dtype)
    distances[running] = nearest_pose_distance(joint_pos[running], poses)
    return _mean(distances, running)


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    return torch.where(counted, values, 0.0).sum(0) / counted.sum(0)
