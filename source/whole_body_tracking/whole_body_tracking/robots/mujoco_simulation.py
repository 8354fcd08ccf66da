"""Simulation of one robot in MuJoCo, stepped at its policy's control rate."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from .model import RobotModel
from .mujoco_model import PHYSICS_DT, JointDrives, build_model

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RobotState:
    """Root and joints of the robot; joints are in the order of the policy."""

    root_pos_w: np.ndarray
    """Position of the root link [m], shape [3]."""
    root_quat_w: np.ndarray
    """Orientation of the root link (x, y, z, w), shape [4]."""
    root_lin_vel_w: np.ndarray
    """Velocity of the root link's origin [m/s], shape [3]."""
    root_ang_vel_w: np.ndarray
    """[rad/s], shape [3]."""
    joint_pos: np.ndarray
    """[rad], shape [num_joints]."""
    joint_vel: np.ndarray
    """[rad/s], shape [num_joints]."""


class Simulation:
    """Simulation of a policy's robot on flat ground."""

    def __init__(self, robot: RobotModel, policy: JointDrives):
        """Build the model.

        Raises:
            ValueError: If the control period is not a multiple of the physics step.
        """
        # Without a handler MuJoCo writes MUJOCO_LOG.TXT into the current folder.
        mujoco.set_mju_user_warning(logger.warning)
        self.model = build_model(robot, policy)
        self.data = mujoco.MjData(self.model)
        self.substeps = round(policy.control_dt / PHYSICS_DT)
        if self.substeps < 1 or abs(self.substeps * PHYSICS_DT - policy.control_dt) > 1e-9:
            raise ValueError(
                f"The policy acts every {policy.control_dt:g} s, which is not a multiple of the physics step of"
                f" {PHYSICS_DT:g} s. Train with another decimation."
            )
        self._joint_qpos = np.array([self.model.joint(name).qposadr[0] for name in policy.joint_names])
        self._joint_dof = np.array([self.model.joint(name).dofadr[0] for name in policy.joint_names])

    def reset(self, state: RobotState) -> None:
        """Put the robot into a state at time zero."""
        mujoco.mj_resetData(self.model, self.data)
        qpos, qvel = self.data.qpos, self.data.qvel
        qpos[:3], qpos[3:7] = state.root_pos_w, np.roll(state.root_quat_w, 1)
        qvel[:3] = state.root_lin_vel_w
        mujoco.mju_rotVecQuat(qvel[3:6], state.root_ang_vel_w, _conjugate(qpos[3:7]))
        qpos[self._joint_qpos], qvel[self._joint_dof] = state.joint_pos, state.joint_vel
        self._update_bodies()

    def step(self, targets: np.ndarray, substeps: int | None = None) -> None:
        """Hold joint targets for some time.

        Args:
            targets: Positions [rad], shape [num_joints].
            substeps: Physics steps; None takes those of a control period.
        """
        self.data.ctrl[:] = targets
        mujoco.mj_step(self.model, self.data, self.substeps if substeps is None else substeps)
        self._update_bodies()

    @property
    def state(self) -> RobotState:
        """Current state of the robot."""
        qpos, qvel = self.data.qpos, self.data.qvel
        ang_vel_w = np.zeros(3)
        mujoco.mju_rotVecQuat(ang_vel_w, qvel[3:6], qpos[3:7])
        return RobotState(
            root_pos_w=qpos[:3].copy(),
            root_quat_w=np.roll(qpos[3:7], -1),
            root_lin_vel_w=qvel[:3].copy(),
            root_ang_vel_w=ang_vel_w,
            joint_pos=qpos[self._joint_qpos],
            joint_vel=qvel[self._joint_dof],
        )

    def body_ids(self, names: Sequence[str]) -> list[int]:
        """MuJoCo's ids of bodies, for :meth:`bodies`."""
        return [self.model.body(name).id for name in names]

    def bodies(self, ids: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Link frames of bodies in the world: position [m], quaternion (x, y, z, w), linear and angular velocity.

        Returns:
            Arrays of shape [num_bodies, 3], [num_bodies, 4], [num_bodies, 3] and [num_bodies, 3].
        """
        twist, one = np.zeros((len(ids), 6)), np.zeros(6)
        for row, body in zip(twist, ids, strict=True):
            mujoco.mj_objectVelocity(self.model, self.data, mujoco.mjtObj.mjOBJ_XBODY, body, one, 0)
            row[:] = one
        quat_xyzw = np.roll(self.data.xquat[ids], -1, axis=-1)
        return self.data.xpos[ids], quat_xyzw, twist[:, 3:], twist[:, :3]

    def _update_bodies(self) -> None:
        """Bring body poses and velocities up to date: MuJoCo's step leaves those from before its last integration."""
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        mujoco.mj_comVel(self.model, self.data)


def _conjugate(quat_wxyz: np.ndarray) -> np.ndarray:
    return quat_wxyz * np.array([1.0, -1.0, -1.0, -1.0])
