"""Centre of mass of a robot and its velocity. Pure functions of tensors; quaternions are (x, y, z, w)."""

from __future__ import annotations

import torch
from torch import Tensor

from whole_body_tracking.motion.geometry.rotations import quat_rotate


def center_of_mass(pos_w: Tensor, quat_w: Tensor, com_b: Tensor, mass: Tensor) -> Tensor:
    """Centre of mass of all bodies, sum m (p + R c) / sum m [m], shape [num_envs, 3].

    Args:
        pos_w: Origins of the bodies' frames [m], shape [num_envs, num_bodies, 3].
        quat_w: Orientations of the bodies, shape [num_envs, num_bodies, 4].
        com_b: Centre of mass of each body in its own frame [m], shape [num_envs, num_bodies, 3].
        mass: Mass of each body [kg], shape [num_envs, num_bodies].
    """
    return _mean(pos_w + quat_rotate(quat_w, com_b), mass)


def center_of_mass_velocity(
    lin_vel_w: Tensor, ang_vel_w: Tensor, quat_w: Tensor, com_b: Tensor, mass: Tensor
) -> Tensor:
    """Velocity of the centre of mass, sum m (v + omega x R c) / sum m [m/s], shape [num_envs, 3].

    Args:
        lin_vel_w: Velocities of the origins of the bodies' frames [m/s], shape [num_envs, num_bodies, 3].
        ang_vel_w: Angular velocities in the world frame [rad/s], shape [num_envs, num_bodies, 3].
        quat_w: Orientations of the bodies, shape [num_envs, num_bodies, 4].
        com_b: Centre of mass of each body in its own frame [m], shape [num_envs, num_bodies, 3].
        mass: Mass of each body [kg], shape [num_envs, num_bodies].
    """
    return _mean(lin_vel_w + torch.linalg.cross(ang_vel_w, quat_rotate(quat_w, com_b)), mass)


def _mean(values: Tensor, mass: Tensor) -> Tensor:
    return (values * mass[..., None]).sum(-2) / mass.sum(-1, keepdim=True)
