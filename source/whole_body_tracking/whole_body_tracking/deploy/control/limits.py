"""What a policy's file says that the robot's joints can do, in the order of the motors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whole_body_tracking.export.spec import PolicySpec

from ..torque_curve import torque_limits

REACH = 2.0
"""How far beyond a soft limit a target may be, over the room that the joint has left."""


@dataclass(frozen=True)
class JointLimits:
    """Limits and gains of all joints; each of shape [num_joints]."""

    names: tuple[str, ...]
    lower: np.ndarray
    """Of the position [rad]."""
    upper: np.ndarray
    soft_lower: np.ndarray
    """The same, shrunk by the soft factor [rad]."""
    soft_upper: np.ndarray
    velocity: np.ndarray
    """[rad/s]"""
    effort: np.ndarray
    """[N m]"""
    stiffness: np.ndarray
    """Of the policy [N m/rad]."""
    damping: np.ndarray
    """[N m s/rad]"""

    def within_position(self, joint_pos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest position target that lets a joint come to rest within its soft limits [rad].

        A target may lie beyond the limit L by :data:`REACH` times the room that the joint at q has left: L + REACH
        (L - q). Policies aim beyond limits for torque, at joints that are far from them; at the limit nothing is left,
        and beyond it the target pulls back.

        Args:
            joint_pos: Joint positions [rad], shape [num_joints].
        """
        lower = self.soft_lower + REACH * (self.soft_lower - joint_pos)
        return lower, self.soft_upper + REACH * (self.soft_upper - joint_pos)

    def within_torque(self, joint_pos: np.ndarray, joint_vel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest position target whose torque the motors have at their speed [rad].

        stiffness (target - joint_pos) - damping joint_vel = torque limit, solved for the target.

        Args:
            joint_pos: Joint positions [rad].
            joint_vel: Joint velocities [rad/s].
        """
        low, high = torque_limits(joint_vel, self.effort, self.velocity)
        brake = self.damping * joint_vel
        return joint_pos + (low + brake) / self.stiffness, joint_pos + (high + brake) / self.stiffness


def limits_of(spec: PolicySpec, motor_joint_names: tuple[str, ...]) -> JointLimits:
    """Read the limits off a policy's spec.

    Args:
        spec: Of the policy.
        motor_joint_names: Joints in the order of the motors.
    """
    order = [spec.joint_names.index(name) for name in motor_joint_names]

    def by_motor(values) -> np.ndarray:
        return np.array(values)[order]

    return JointLimits(
        names=motor_joint_names,
        lower=by_motor(spec.joint_pos_lower),
        upper=by_motor(spec.joint_pos_upper),
        soft_lower=by_motor(spec.soft_joint_pos_lower),
        soft_upper=by_motor(spec.soft_joint_pos_upper),
        velocity=by_motor(spec.joint_velocity_limit),
        effort=by_motor(spec.joint_effort_limit),
        stiffness=by_motor(spec.joint_stiffness),
        damping=by_motor(spec.joint_damping),
    )
