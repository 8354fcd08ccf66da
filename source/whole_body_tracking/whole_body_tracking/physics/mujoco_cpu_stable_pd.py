"""Stable PD control inside the native loop of ``physics=mujoco_cpu``: targets go in, every substep makes its torques.

The formula is that of :func:`whole_body_tracking.actuation.stable_pd.stable_pd_torque`, in float64, with the mass
matrix that MuJoCo's step computes anyway, factorised along the tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np
import warp as wp

from .mujoco_cpu_layout import function_address
from .mujoco_cpu_native import StepArgs

NOT_DRIVEN = -1
"""Stands for the position of a degree of freedom that no motor drives."""


class NativeStablePD:
    """Gains, targets and torques of every env: float32 arrays of shape [num_envs, num_dofs] in MuJoCo's order.

    ``torque`` is that of the last substep, ``torque_before_limit`` the same without limit, ``constraint`` the forces of
    contacts and joint limits in the last substep.
    """

    ARRAYS = (
        *("stiffness", "damping", "limit", "target", "target_vel"),
        *("torque", "torque_before_limit", "constraint"),
    )

    def __init__(
        self,
        model: mujoco.MjModel,
        num_envs: int,
        joint_names: Sequence[str],
        contact_forces: bool,
        drives: bool = True,
    ):
        """Prepare arrays of zeros.

        Args:
            model: Native model of an env; all envs have its tree.
            num_envs: Number of envs.
            joint_names: Driven joints, in the order of the caller's arrays.
            contact_forces: Whether the prediction counts ``constraint``.
            drives: Whether the torques drive the robot at every substep; otherwise they are computed when asked for.

        Raises:
            ValueError: If the model lacks a joint.
        """
        joints = [_joint(model, name) for name in joint_names]
        self.joint_dofs = [int(model.jnt_dofadr[joint]) for joint in joints]
        """Degree of freedom of each joint in MuJoCo's order."""
        self.contact_forces, self.drives = contact_forces, drives
        self._parents = model.dof_parentid
        self._positions = np.full(model.nv, NOT_DRIVEN, dtype=np.int32)
        self._positions[self.joint_dofs] = model.jnt_qposadr[joints]
        for name in self.ARRAYS:
            setattr(self, name, np.zeros((num_envs, model.nv), dtype=np.float32))

        self.timestep = np.zeros(1)
        """Length of a substep [s], shape [1]; the stepper sets it."""

    def bind(self, args: StepArgs, data: mujoco.MjData, warp_data: Any) -> None:
        """Let the arguments of a thread point here."""
        for name in ("mj_step1", "mj_step2", "mj_fullM"):
            setattr(args, name, function_address(name))
        for name in ("qpos", "qvel", "qfrc_bias", "qfrc_passive", "qfrc_constraint", "qfrc_applied"):
            setattr(args, f"pd_{name}", getattr(data, name).ctypes.data)
        args.pd_feed_forward = warp_data.qfrc_applied.ptr
        args.pd_parents = self._parents.ctypes.data
        args.pd_positions = self._positions.ctypes.data
        num_dofs = len(self._positions)
        args.pd_scratch = wp.zeros(num_dofs * (num_dofs + 2), dtype=wp.float64, device="cpu")
        for name in self.ARRAYS:
            values = getattr(self, name)
            array = wp.array(ptr=values.ctypes.data, dtype=wp.float32, shape=values.shape, device="cpu", copy=False)
            setattr(args, f"pd_{name}", array)
        args.pd_timestep = wp.array(ptr=self.timestep.ctypes.data, dtype=wp.float64, shape=1, device="cpu", copy=False)
        args.pd_counts_constraint, args.pd_drives = self.contact_forces, self.drives


def _joint(model: mujoco.MjModel, name: str) -> int:
    """Index of the joint that is called so, whatever path Newton put before it."""
    found = [index for index in range(model.njnt) if _is_called(model.joint(index).name, name)]
    if len(found) != 1:
        names = [model.joint(index).name for index in range(model.njnt)]
        raise ValueError(f"The native model should have one joint '{name}', it has {len(found)}. Its joints: {names}.")
    return found[0]


def _is_called(path: str, name: str) -> bool:
    return path == name or path.endswith((f"/{name}", f"_{name}"))
