"""Stable PD control: the PD law at the end of the step, which the equations of motion predict.

Tan, Liu, Turk, "Stable Proportional-Derivative Controllers", IEEE CG&A 2011. Pure functions of tensors.
"""

from __future__ import annotations

import torch
from torch import Tensor


def stable_pd_torque(
    mass_matrix: Tensor,
    bias: Tensor,
    joint_pos: Tensor,
    joint_vel: Tensor,
    target: Tensor,
    stiffness: Tensor,
    damping: Tensor,
    timestep: float,
    limit: Tensor | None = None,
    target_vel: Tensor | None = None,
) -> Tensor:
    """Torque of stable PD control [N m], shape [..., num_joints].

    ``tau = -kp (q + h q' - q*) - kd (q' + h q'' - q'*)``, where ``q''`` solves
    ``(M + h Kd) q'' = -bias + [0; -kp (q + h q' - q*) - kd (q' - q'*)]`` for root and joints together; ``Kd`` is zero
    for the root, which no motor drives. The torque is then kept within ``limit``; a saturated joint's own prediction
    is not made again.

    Args:
        mass_matrix: M(q) with the motors' armature, root first, shape [..., num_base_dofs + num_joints, same]
            [kg, kg m, kg m^2].
        bias: C(q, q') q' + g(q) minus the external forces that are known, shape [..., num_base_dofs + num_joints]
            [N, N m]: what a motionless robot's motors have to hold.
        joint_pos: q [rad], shape [..., num_joints].
        joint_vel: q' [rad/s], same shape.
        target: q* [rad], same shape.
        stiffness: kp [N m/rad], broadcast to that shape.
        damping: kd [N m s/rad], broadcast to that shape.
        timestep: h, until the next torque [s].
        limit: Largest torque [N m], broadcast to that shape; None means none.
        target_vel: q'* [rad/s]; None means zero.

    Raises:
        ValueError: If the shapes do not fit together.
    """
    num_joints = joint_pos.shape[-1]
    _check_shapes(mass_matrix, bias, num_joints, stiffness, damping)
    num_base = mass_matrix.shape[-1] - num_joints
    velocity_error = joint_vel if target_vel is None else joint_vel - target_vel
    drive = -stiffness * (joint_pos + timestep * joint_vel - target) - damping * velocity_error
    implicit = torch.nn.functional.pad(timestep * damping, (num_base, 0)).expand_as(bias)
    forces = torch.nn.functional.pad(drive, (num_base, 0)) - bias
    # The same system with a unit diagonal: in single precision its solution is good to the sixth digit, while the raw
    # one mixes a mass of tens of kilograms with inertias of grams times square metres.
    scale = (mass_matrix.diagonal(dim1=-2, dim2=-1) + implicit).rsqrt()
    system = mass_matrix * scale[..., :, None] * scale[..., None, :]
    system = system + torch.diag_embed(implicit * scale.square())
    factor, _ = torch.linalg.cholesky_ex(system)
    acceleration = scale * torch.cholesky_solve((forces * scale)[..., None], factor)[..., 0]
    torque = drive - timestep * damping * acceleration[..., num_base:]
    return torque if limit is None else torch.clamp(torque, -limit, limit)


def _check_shapes(mass_matrix: Tensor, bias: Tensor, num_joints: int, stiffness: Tensor, damping: Tensor) -> None:
    """Raise a ValueError unless everything is for the same robot."""
    dofs = mass_matrix.shape[-1]
    if mass_matrix.shape[-2] != dofs or bias.shape[-1] != dofs or dofs < num_joints:
        raise ValueError(
            f"The mass matrix has shape {tuple(mass_matrix.shape)} and the bias {tuple(bias.shape)}, expected"
            f" [..., n, n] and [..., n] with n = {num_joints} joints plus the root's degrees of freedom."
        )
    for name, gains in (("stiffness", stiffness), ("damping", damping)):
        if gains.ndim and gains.shape[-1] not in (1, num_joints):
            raise ValueError(
                f"`{name}` has {gains.shape[-1]} values, expected {num_joints}, one per joint. Give this robot's gains."
            )
