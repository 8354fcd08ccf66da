"""An antagonistic pair of virtual muscles on every joint of a robot: geometry, torques, and the torques it can give."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from whole_body_tracking.robots import RobotModel

from .muscle_curves import active_force, passive_force, velocity_factor

SHORTEST_IN_USE, LONGEST_IN_USE = 0.75, 1.05
"""Normalized length of a muscle at the two ends of its joint's range (MuJoCo's default ``range``)."""
MOMENT_ARM = 0.05
"""Of every muscle [m]. Torques depend on its product with the force only, so it sets the forces' scale."""
FLEXOR, EXTENSOR = 0, 1
"""Column of the muscle that pulls towards larger joint positions, and of its antagonist."""


@dataclass(frozen=True)
class MusclePairs:
    """Two muscles per joint; a muscle shortens as it turns its joint its way. Tensors have shape [num_joints]."""

    joint_names: tuple[str, ...]
    lower: Tensor
    """Smallest joint position [rad]."""
    upper: Tensor
    """Largest [rad]."""
    effort_limit: Tensor
    """Of the motors [N m]."""
    velocity_limit: Tensor
    """Of the motors [rad/s]: a muscle that shortens so fast has no force."""

    @classmethod
    def of_robot(cls, robot: RobotModel, device: str = "cpu", dtype: torch.dtype = torch.float32) -> MusclePairs:
        """Muscles that replace a robot's motors: joint ranges, effort and velocity limits are those of its facts."""
        values = (*robot.joint_pos_limits.T, robot.effort_limit, robot.velocity_limit)
        tensors = (torch.as_tensor(np.array(value), dtype=dtype, device=device) for value in values)
        return cls(tuple(robot.joint_names), *tensors)

    @cached_property
    def peak_force(self) -> Tensor:
        """Largest isometric force of a muscle [N]: at its weakest place in the joint's range it meets the limit."""
        weakest = active_force(torch.tensor([SHORTEST_IN_USE, LONGEST_IN_USE], dtype=self.lower.dtype)).min()
        return self.effort_limit / (MOMENT_ARM * float(weakest))

    @property
    def optimal_angle(self) -> Tensor:
        """Joint angle that is as long as the optimal fibre length [rad]: fibre length over moment arm."""
        return (self.upper - self.lower) / (LONGEST_IN_USE - SHORTEST_IN_USE)

    @property
    def shortening_rate(self) -> Tensor:
        """Largest shortening velocity [fibre lengths/s], MuJoCo's ``vmax``."""
        return self.velocity_limit / self.optimal_angle

    def lengths(self, joint_pos: Tensor) -> Tensor:
        """Normalized lengths, shape [..., num_joints, 2], of joint positions [rad], shape [..., num_joints]."""
        to_upper, to_lower = self.upper - joint_pos, joint_pos - self.lower
        return SHORTEST_IN_USE + torch.stack((to_upper, to_lower), -1) / self.optimal_angle[:, None]

    def torque_per_activation(self, joint_pos: Tensor, joint_vel: Tensor) -> Tensor:
        """Torque that each muscle adds per unit of activation [N m], shape [..., num_joints, 2]: J^T A.

        The flexor's is positive, the extensor's negative.

        Args:
            joint_pos: [rad], shape [..., num_joints].
            joint_vel: [rad/s], same shape.
        """
        relative = joint_vel / self.velocity_limit
        velocity = torch.stack((-relative, relative), -1)
        strength = active_force(self.lengths(joint_pos)) * velocity_factor(velocity)
        return self._signed(strength)

    def passive_torque(self, joint_pos: Tensor) -> Tensor:
        """Torque of the stretched tissue [N m], shape [..., num_joints]."""
        return self._signed(passive_force(self.lengths(joint_pos))).sum(-1)

    def torque(self, activation: Tensor, joint_pos: Tensor, joint_vel: Tensor) -> Tensor:
        """Torque on the joints [N m], shape [..., num_joints].

        Args:
            activation: In [0, 1], shape [..., num_joints, 2].
            joint_pos: [rad], shape [..., num_joints].
            joint_vel: [rad/s], same shape.
        """
        active = (self.torque_per_activation(joint_pos, joint_vel) * activation).sum(-1)
        return active + self.passive_torque(joint_pos)

    def _signed(self, strength: Tensor) -> Tensor:
        """Torques of normalized forces."""
        size = strength * (MOMENT_ARM * self.peak_force)[:, None]
        return torch.stack((size[..., FLEXOR], -size[..., EXTENSOR]), -1)


def reciprocal_activation(torque_per_activation: Tensor, torque: Tensor) -> Tensor:
    """Least activation of every pair that gives a torque, or comes nearest: its antagonist rests.

    The exact solution of the bounded least squares problem without regularisation, pair by pair, which a body whose
    muscles cross several joints does not have.

    Args:
        torque_per_activation: [N m], shape [..., num_joints, 2].
        torque: Active torque wanted [N m], shape [..., num_joints].

    Returns:
        Activations in [0, 1], shape [..., num_joints, 2].
    """
    wanted = torque[..., None] / torch.where(
        torque_per_activation == 0.0, torch.full_like(torque_per_activation, torch.inf), torque_per_activation
    )
    return wanted.clamp(0.0, 1.0)


def require_activations(activation: Tensor) -> None:
    """Check activations.

    Raises:
        ValueError: If one is outside [0, 1] or not a number.
    """
    if not bool(((activation >= 0.0) & (activation <= 1.0)).all()):
        low, high = float(activation.min()), float(activation.max())
        raise ValueError(f"Activations are in [{low:g}, {high:g}], expected numbers in [0, 1]. Clamp them first.")
