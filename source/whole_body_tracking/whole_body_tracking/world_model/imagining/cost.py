"""What imagined rollouts are trained to lower: the task's rewards, smooth and with a slope everywhere. No simulator."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from whole_body_tracking.tracking.errors import BodyState, exp_kernel, tracking_errors
from whole_body_tracking.tracking.foot_and_tilt_errors import weighted_mean

ANCHOR_ERRORS = ("anchor_pos", "anchor_ori")
"""Errors of one body; the others have one for each body."""


@dataclass(frozen=True)
class Kernel:
    """One of the task's tracking rewards, weight * exp(-error / std^2)."""

    error: str
    """Field of :class:`~whole_body_tracking.tracking.errors.TrackingErrors`."""
    std: float
    weight: float
    body_weights: Tensor | None = None
    """Weight of each body, shape [num_bodies]; None for all alike."""


@dataclass(frozen=True)
class CostWeights:
    """The cost of an imagined step."""

    kernels: tuple[Kernel, ...]
    anchor_idx: int
    """Anchor among the tracked bodies."""
    far_slope: float
    action_rate: float
    """Cost of the squared change of the action, summed over joints."""
    joint_limit: float
    """Cost of a radian beyond the soft limits, summed over joints."""
    soft_limits: Tensor
    """Lower and upper soft limits [rad], shape [num_joints, 2]."""

    @property
    def total(self) -> float:
        """Sum of the kernels' weights."""
        return sum(kernel.weight for kernel in self.kernels)


def smooth_cost(squared_error: Tensor, std: float, far_slope: float) -> Tensor:
    """Cost of an error e: 1 - exp(-e^2 / s^2) + c (sqrt(1 + e^2 / s^2) - 1), 0 at 0.

    The first part is what the kernel lacks to 1. Its slope vanishes at e = 3 s; that of the second tends to c / s.
    """
    return 1.0 - exp_kernel(squared_error, std) + far_slope * ((1.0 + squared_error / std**2).sqrt() - 1.0)


def tracking_cost(ref: BodyState, robot: BodyState, weights: CostWeights) -> Tensor:
    """Weighted mean of the kernels' smooth costs, shape [batch]."""
    errors = tracking_errors(ref, robot, weights.anchor_idx)
    cost = 0.0
    for kernel in weights.kernels:
        value = getattr(errors, kernel.error)
        if kernel.error not in ANCHOR_ERRORS:
            bodies = kernel.body_weights
            value = value.mean(-1) if bodies is None else weighted_mean(value, bodies.to(value.dtype))
        cost = cost + kernel.weight * smooth_cost(value, kernel.std, weights.far_slope)
    return cost / weights.total


def effort_cost(actions: Tensor, before: Tensor, joint_pos: Tensor, weights: CostWeights) -> Tensor:
    """Cost of changing actions and of joints beyond their soft limits, over the kernels' weights; shape [batch]."""
    low, high = weights.soft_limits.to(joint_pos.dtype).unbind(-1)
    beyond = (low - joint_pos).clamp(min=0.0) + (joint_pos - high).clamp(min=0.0)
    rate = weights.action_rate * (actions - before).square().sum(-1)
    return (rate + weights.joint_limit * beyond.sum(-1)) / weights.total


def masked_mean(values: Tensor, counts: Tensor) -> Tensor:
    """Mean of the values that count, given as a mask of the same shape; 0 if none does."""
    return torch.where(counts, values, 0.0).sum() / counts.sum().clamp(min=1)
