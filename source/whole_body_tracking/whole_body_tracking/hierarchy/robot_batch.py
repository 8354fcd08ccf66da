"""Many copies of a policy's robot in native MuJoCo, stepped at its control rate on flat ground."""

from __future__ import annotations

import os
from dataclasses import dataclass

import mujoco
import numpy as np
import torch
from mujoco.rollout import Rollout
from torch import Tensor

from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.motion.geometry.kinematics import kinematic_chain
from whole_body_tracking.motion.geometry.level_kinematics import level_kinematics
from whole_body_tracking.motion.geometry.rotations import quat_conjugate, quat_rotate
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_model import PHYSICS_DT, model_spec

FULL_STATE = int(mujoco.mjtState.mjSTATE_FULLPHYSICS)
WARNINGS = ("mjWARN_BADQPOS", "mjWARN_BADQVEL", "mjWARN_BADQACC", "mjWARN_BADCTRL")


@dataclass(frozen=True)
class RobotBatch:
    """Robots at an instant, in the world frame; joints are in the order of the policies."""

    root_pos: Tensor
    """[m], shape [num_envs, 3]."""
    root_quat: Tensor
    """(x, y, z, w), shape [num_envs, 4]."""
    root_lin_vel: Tensor
    """Of the root link's origin [m/s], shape [num_envs, 3]."""
    root_ang_vel: Tensor
    """[rad/s], shape [num_envs, 3]."""
    joint_pos: Tensor
    """[rad], shape [num_envs, num_joints]."""
    joint_vel: Tensor
    """[rad/s], shape [num_envs, num_joints]."""
    anchor_pos: Tensor
    """[m], shape [num_envs, 3]."""
    anchor_quat: Tensor
    """(x, y, z, w), shape [num_envs, 4]."""


class BatchSimulation:
    """Robots that hold joint targets; the model is that of sim2sim, a tensor row is one robot's whole state."""

    def __init__(
        self,
        robot: RobotModel,
        spec: PolicySpec,
        num_envs: int,
        num_threads: int | None = None,
        physics_dt: float = PHYSICS_DT,
    ):
        """Build the model and start the threads; the robots are not placed yet.

        Args:
            robot: Its facts.
            spec: Of a policy: joints, gains, anchor and control rate.
            num_envs: Robots.
            num_threads: None takes one for each available core.
            physics_dt: Physics step [s].

        Raises:
            ValueError: If the control period is not a multiple of the physics step.
        """
        self.substeps = round(spec.control_dt / physics_dt)
        if self.substeps < 1 or abs(self.substeps * physics_dt - spec.control_dt) > 1e-9:
            raise ValueError(
                f"The policies act every {spec.control_dt:g} s, which is not a multiple of the physics step of"
                f" {physics_dt:g} s. Train with another decimation."
            )
        model = model_spec(robot, spec)
        model.option.timestep = physics_dt
        self.model = model.compile()
        threads = len(os.sched_getaffinity(0)) if num_threads is None else num_threads
        self._data = [_quiet_data(self.model) for _ in range(threads)]
        self._pool = Rollout(nthread=threads if threads > 1 else 0)
        self.num_envs = num_envs
        self.states = torch.zeros(num_envs, mujoco.mj_stateSize(self.model, FULL_STATE), dtype=torch.float64)
        joints = [self.model.joint(name) for name in spec.joint_names]
        self._positions = torch.tensor([1 + int(joint.qposadr[0]) for joint in joints])
        self._speeds = torch.tensor([1 + self.model.nq + int(joint.dofadr[0]) for joint in joints])
        self._chain = kinematic_chain(robot, (spec.anchor_body_name,))
        self._anchor = self._chain.body_names.index(spec.anchor_body_name)
        self._chain_joints = [spec.joint_names.index(name) for name in self._chain.joint_names]
        # Bodies that are drawn: all of them, in the order of the facts.
        self._robot, self._all_joints = robot, [spec.joint_names.index(name) for name in robot.joint_names]

    def place(self, mask: Tensor, batch: RobotBatch) -> None:
        """Put some robots into states, at time zero.

        Args:
            mask: Which, shape [num_envs].
            batch: The states of all; anchors are not read.
        """
        fresh = torch.zeros_like(self.states)
        fresh[:, 1:4], fresh[:, 4:8] = batch.root_pos.double(), batch.root_quat[:, [3, 0, 1, 2]].double()
        start = 1 + self.model.nq
        fresh[:, start : start + 3] = batch.root_lin_vel.double()
        fresh[:, start + 3 : start + 6] = quat_rotate(quat_conjugate(batch.root_quat), batch.root_ang_vel).double()
        fresh[:, self._positions] = batch.joint_pos.double()
        fresh[:, self._speeds] = batch.joint_vel.double()
        self.states = torch.where(mask[:, None], fresh, self.states)

    def step(self, targets: Tensor) -> None:
        """Hold joint targets [rad], shape [num_envs, num_joints], for a control period."""
        control = np.repeat(targets.double().numpy()[:, None], self.substeps, axis=1)
        states, _ = self._pool.rollout(self.model, self._data, self.states.numpy(), control)
        self.states = torch.from_numpy(np.ascontiguousarray(states[:, -1]))

    @property
    def batch(self) -> RobotBatch:
        """The robots now."""
        states = self.states.float()
        quat = torch.nn.functional.normalize(states[:, [5, 6, 7, 4]], dim=-1)
        start = 1 + self.model.nq
        joint_pos = states[:, self._positions]
        pos, turned = level_kinematics(self._chain, states[:, 1:4], quat, joint_pos[:, self._chain_joints])
        return RobotBatch(
            root_pos=states[:, 1:4],
            root_quat=quat,
            root_lin_vel=states[:, start : start + 3],
            root_ang_vel=quat_rotate(quat, states[:, start + 3 : start + 6]),
            joint_pos=joint_pos,
            joint_vel=states[:, self._speeds],
            anchor_pos=pos[:, self._anchor],
            anchor_quat=turned[:, self._anchor],
        )

    def body_poses(self) -> tuple[Tensor, Tensor]:
        """Poses of all bodies, in the order of the facts: [m], [num_envs, num_bodies, 3], and (x, y, z, w), [.., 4]."""
        now = self.batch
        return level_kinematics(self._robot, now.root_pos, now.root_quat, now.joint_pos[:, self._all_joints])

    def close(self) -> None:
        """Stop the threads."""
        self._pool.close()


def _quiet_data(model: mujoco.MjModel) -> mujoco.MjData:
    """Data that report divergence through the state, not on stderr."""
    data = mujoco.MjData(model)
    for kind in WARNINGS:
        data.warning[int(getattr(mujoco.mjtWarning, kind))].number = 1
    return data
