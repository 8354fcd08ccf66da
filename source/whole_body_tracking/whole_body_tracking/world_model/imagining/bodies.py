"""Bodies of a robot from its state, differentiably: poses, and velocities of the links. No simulator."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from whole_body_tracking.motion.analysis.quality import CONTACT_HEIGHT
from whole_body_tracking.motion.geometry.ground import sole_heights
from whole_body_tracking.motion.geometry.kinematics import forward_kinematics, kinematic_chain
from whole_body_tracking.motion.geometry.rotations import quat_rotate
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.tracking.errors import BodyState

from .state import split


class BodyKinematics:
    """Tracked bodies and the anchor of a robot, in the env's frame."""

    def __init__(
        self,
        robot: RobotModel,
        joint_names: Sequence[str],
        body_names: Sequence[str],
        anchor_body_name: str,
        device: str | torch.device,
    ):
        """Prepare.

        Args:
            robot: The robot's facts.
            joint_names: Joints in the order of the state.
            body_names: Bodies to compute.
            anchor_body_name: Body that the reference is placed by.
            device: Where states are.
        """
        self.robot = robot
        self._chain = kinematic_chain(robot, [anchor_body_name])
        self._order, self._chain_order = (
            torch.tensor([list(joint_names).index(name) for name in model.joint_names], dtype=torch.long, device=device)
            for model in (robot, self._chain)
        )
        self._bodies = torch.tensor([robot.body_names.index(name) for name in body_names], device=device)
        self._anchor = self._chain.body_names.index(anchor_body_name)
        self._axis = torch.tensor(robot.joint_axis, device=device)
        moves = torch.zeros(robot.num_bodies, robot.num_joints, dtype=torch.float64)
        for body in range(1, robot.num_bodies):
            moves[body] = moves[int(robot.parent_idx[body])]
            moves[body, body - 1] = 1.0
        self._moves = moves.to(device)

    def anchor(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """Position [m], shape [batch, 3], and orientation (x, y, z, w), shape [batch, 4], of the anchor."""
        parts = split(state)
        joint_pos = parts.joint_pos[:, self._chain_order]
        pos, quat = forward_kinematics(self._chain, parts.root_pos, parts.root_quat, joint_pos)
        return pos[:, self._anchor], quat[:, self._anchor]

    @torch.no_grad()
    def feet_on_ground(self, state: Tensor) -> Tensor:
        """Number of feet whose soles are below :data:`CONTACT_HEIGHT`, as in the evaluation, shape [batch]."""
        parts = split(state)
        pos, quat = forward_kinematics(self.robot, parts.root_pos, parts.root_quat, parts.joint_pos[:, self._order])
        return (sole_heights(self.robot, list(self.robot.body_names), pos, quat) < CONTACT_HEIGHT).sum(-1)

    def bodies(self, state: Tensor) -> BodyState:
        """Poses and velocities of the tracked bodies, for states of shape [batch, 13 + 2 * num_joints].

        With the joints j before body b, their axes a_j, places p_j and speeds s_j: w_b = w + sum a_j s_j and
        v_b = v + w x (p_b - p) + sum a_j s_j x (p_b - p_j).
        """
        parts = split(state)
        zero = torch.zeros_like(parts.root_pos)  # bodies relative to the root: differences of small numbers
        pos, quat = forward_kinematics(self.robot, zero, parts.root_quat, parts.joint_pos[:, self._order])
        axis = quat_rotate(quat[:, 1:], self._axis.to(state.dtype).expand(len(state), -1, -1))
        turn = axis * parts.joint_vel[:, self._order, None]
        moves = self._moves.to(state.dtype)[self._bodies]
        pos, quat, joint_pos = pos[:, self._bodies], quat[:, self._bodies], pos[:, 1:]
        root_ang_vel = quat_rotate(parts.root_quat, parts.root_ang_vel_b)[:, None]
        ang_vel = root_ang_vel + moves @ turn
        lin_vel = parts.root_lin_vel_w[:, None] + torch.linalg.cross(ang_vel, pos)
        lin_vel = lin_vel - moves @ torch.linalg.cross(turn, joint_pos)
        return BodyState(pos + parts.root_pos[:, None], quat, lin_vel, ang_vel)
