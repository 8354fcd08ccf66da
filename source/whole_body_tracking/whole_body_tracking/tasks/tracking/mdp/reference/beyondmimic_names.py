"""The names that BeyondMimic's ``MotionCommand`` gives to reference and robot, as properties of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from whole_body_tracking.tracking.errors import BodyState, anchor_relative_targets

if TYPE_CHECKING:
    from isaaclab.assets import Articulation

    from whole_body_tracking.motion import MotionState

    from ..commands import MotionCommand
    from .reference_command import StepCache


def _relative_targets(command: MotionCommand) -> tuple[Tensor, Tensor]:
    anchors = (command.anchor_pos_w, command.anchor_quat_w, command.robot_anchor_pos_w, command.robot_anchor_quat_w)
    return anchor_relative_targets(command.body_pos_w, command.body_quat_w, *anchors)


class BeyondMimicNames:
    """Read-only views in the world frame; positions [m], velocities [m/s, rad/s], quaternions (x, y, z, w).

    Without a prefix they are the reference's, with ``robot_`` the robot's; ``body_`` stands for the tracked bodies,
    shape [num_envs, num_bodies, 3 or 4], ``anchor_`` for the anchor, shape [num_envs, 3 or 4].
    """

    anchor_idx: int
    cache: StepCache
    reference: MotionState
    reference_bodies: BodyState
    robot_bodies: BodyState
    robot: Articulation

    @property
    def joint_pos(self) -> Tensor:
        """Reference joint positions [rad], shape [num_envs, num_joints]."""
        return self.reference.joint_pos

    @property
    def joint_vel(self) -> Tensor:
        """Reference joint velocities [rad/s], shape [num_envs, num_joints]."""
        return self.reference.joint_vel

    @property
    def robot_joint_pos(self) -> Tensor:
        """Joint positions of the robot [rad], shape [num_envs, num_joints]."""
        return self.robot.data.joint_pos.torch

    @property
    def robot_joint_vel(self) -> Tensor:
        """Joint velocities of the robot [rad/s], shape [num_envs, num_joints]."""
        return self.robot.data.joint_vel.torch

    @property
    def body_pos_w(self) -> Tensor:
        return self.reference_bodies.pos_w

    @property
    def body_quat_w(self) -> Tensor:
        return self.reference_bodies.quat_w

    @property
    def body_lin_vel_w(self) -> Tensor:
        return self.reference_bodies.lin_vel_w

    @property
    def body_ang_vel_w(self) -> Tensor:
        return self.reference_bodies.ang_vel_w

    @property
    def robot_body_pos_w(self) -> Tensor:
        return self.robot_bodies.pos_w

    @property
    def robot_body_quat_w(self) -> Tensor:
        return self.robot_bodies.quat_w

    @property
    def robot_body_lin_vel_w(self) -> Tensor:
        return self.robot_bodies.lin_vel_w

    @property
    def robot_body_ang_vel_w(self) -> Tensor:
        return self.robot_bodies.ang_vel_w

    @property
    def anchor_pos_w(self) -> Tensor:
        return self.reference_bodies.pos_w[:, self.anchor_idx]

    @property
    def anchor_quat_w(self) -> Tensor:
        return self.reference_bodies.quat_w[:, self.anchor_idx]

    @property
    def anchor_lin_vel_w(self) -> Tensor:
        return self.reference_bodies.lin_vel_w[:, self.anchor_idx]

    @property
    def anchor_ang_vel_w(self) -> Tensor:
        return self.reference_bodies.ang_vel_w[:, self.anchor_idx]

    @property
    def robot_anchor_pos_w(self) -> Tensor:
        return self.robot_bodies.pos_w[:, self.anchor_idx]

    @property
    def robot_anchor_quat_w(self) -> Tensor:
        return self.robot_bodies.quat_w[:, self.anchor_idx]

    @property
    def robot_anchor_lin_vel_w(self) -> Tensor:
        return self.robot_bodies.lin_vel_w[:, self.anchor_idx]

    @property
    def robot_anchor_ang_vel_w(self) -> Tensor:
        return self.robot_bodies.ang_vel_w[:, self.anchor_idx]

    @property
    def body_pos_relative_w(self) -> Tensor:
        """Reference bodies moved to where the robot stands and heads: what the body rewards compare with."""
        return self.cache.this_step(_relative_targets)[0]

    @property
    def body_quat_relative_w(self) -> Tensor:
        """Orientations of the bodies of :attr:`body_pos_relative_w`."""
        return self.cache.this_step(_relative_targets)[1]
