"""What a motion takes from the ground, from the momentum of its bodies: force, moment, zero-moment point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from whole_body_tracking.motion.conversion.resample import angular_velocity
from whole_body_tracking.motion.geometry.kinematics import center_of_mass
from whole_body_tracking.motion.geometry.rotations import quat_rotate
from whole_body_tracking.robots import RobotModel

GRAVITY = 9.81
"""[m/s^2]"""
MIN_LOAD = 0.1
"""Below this share of the weight the zero-moment point says nothing: the robot is about to fly."""


@dataclass(frozen=True)
class GroundReaction:
    """What the ground must give, frame by frame."""

    com_w: np.ndarray
    """Centre of mass [m], shape [num_frames, 3]."""
    force: np.ndarray
    """Force [N], shape [num_frames, 3]."""
    moment: np.ndarray
    """Moment about the centre of mass [N m], shape [num_frames, 3]."""

    @property
    def zmp(self) -> np.ndarray:
        """Zero-moment point on z = 0 [m], shape [num_frames, 2]; NaN where the ground gives next to nothing.

        The point p about which the horizontal moments vanish: (p - c) x F = N gives p_x = c_x - (N_y + c_z F_x) / F_z
        and p_y = c_y + (N_x - c_z F_y) / F_z.
        """
        (cx, cy, cz), (fx, fy, fz), (nx, ny, _) = self.com_w.T, self.force.T, self.moment.T
        loaded = fz > MIN_LOAD * np.median(fz)
        load = np.where(loaded, fz, np.nan)
        return np.stack((cx - (ny + cz * fx) / load, cy + (nx - cz * fy) / load), axis=-1)


def ground_reaction(
    robot: RobotModel, body_pos_w: torch.Tensor, body_quat_w: torch.Tensor, fps: float, smoothing: float = 0.0
) -> GroundReaction:
    """Force and moment that a motion takes, by Newton's and Euler's laws for the sum of all bodies.

    F = M (c'' + g), N = d/dt sum((r - c) x m (v - v_c) + I w), with central differences.

    Args:
        robot: The robot.
        body_pos_w: Body positions [m], float64, shape [num_frames, num_bodies, 3], in the robot's order.
        body_quat_w: Body orientations (x, y, z, w), shape [num_frames, num_bodies, 4].
        fps: Frames per second.
        smoothing: Standard deviation of a Gaussian over momentum before it is differentiated [frames]; 0 for none.
    """
    mass, com_b, inertia = _inertias(robot)
    com = center_of_mass(robot, body_pos_w, body_quat_w).numpy()
    arm = (body_pos_w + quat_rotate(body_quat_w, com_b)).numpy() - com[:, None]
    relative = np.gradient(arm, 1.0 / fps, axis=0)
    spin = angular_velocity(body_quat_w, fps)
    turned = quat_rotate(body_quat_w, (inertia @ _to_body(body_quat_w, spin)[..., None]).squeeze(-1)).numpy()
    momentum = (np.cross(arm, relative) * mass[:, None] + turned).sum(1)
    smooth_com = gaussian_filter1d(com, smoothing, axis=0) if smoothing else com
    if smoothing:
        momentum = gaussian_filter1d(momentum, smoothing, axis=0)
    force = mass.sum() * (second_difference(smooth_com, fps) + np.array([0.0, 0.0, GRAVITY]))
    return GroundReaction(com, force, np.gradient(momentum, 1.0 / fps, axis=0))


def second_difference(values: np.ndarray, fps: float) -> np.ndarray:
    """Second derivative over the first axis; the first and last frame take their neighbour's."""
    inner = (values[2:] - 2.0 * values[1:-1] + values[:-2]) * fps**2
    return np.concatenate((inner[:1], inner, inner[-1:]))


def _inertias(robot: RobotModel) -> tuple[np.ndarray, torch.Tensor, torch.Tensor]:
    """Masses [kg], centres of mass [m] and inertias about them [kg m^2] of the bodies, in the bodies' frames."""
    bodies = [robot.facts["bodies"][name] for name in robot.body_names]
    names = (("ixx", "ixy", "ixz"), ("ixy", "iyy", "iyz"), ("ixz", "iyz", "izz"))
    inertia = [[[body["inertia_about_com"][name] for name in row] for row in names] for body in bodies]
    mass, com = [body["mass"] for body in bodies], [body["com"] for body in bodies]
    return np.array(mass), torch.tensor(com).double(), torch.tensor(inertia).double()


def _to_body(quat: torch.Tensor, vector_w: torch.Tensor) -> torch.Tensor:
    return quat_rotate(torch.cat((-quat[..., :3], quat[..., 3:]), dim=-1), vector_w)
