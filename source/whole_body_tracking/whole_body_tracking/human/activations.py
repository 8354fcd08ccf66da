"""Activations in [0, 1] that give torques: bounded least squares, all frames at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

REGULARISATION = 1e-3
"""Weight of the mean squared activation beside the mean squared torque error over its scale."""
ITERATIONS = 200
RELAXATION = 1.6
PENALTY = 0.03
"""Of the splitting, over the mean squared torque that a muscle adds; it sets the speed, not the result."""


@dataclass(frozen=True)
class BoundedSolution:
    """What a solver found."""

    activation: Tensor
    """Shape [num_frames, num_muscles]."""
    gap: Tensor
    """Largest step that a projected gradient step of length one would still take, shape [num_frames]."""


def bounded_activations(
    torque_per_activation: Tensor,
    torque: Tensor,
    scale: Tensor,
    regularisation: float = REGULARISATION,
    iterations: int = ITERATIONS,
) -> BoundedSolution:
    """Minimise mean (A a - tau)^2 / scale^2 + r mean a^2 over 0 <= a <= 1, for all frames at once.

    Alternating directions (Boyd et al., Foundations and Trends in Machine Learning 3, 2011): a linear system whose
    matrix is factorised once per frame, then a clamp.

    Args:
        torque_per_activation: A [N m], shape [num_frames, num_coordinates, num_muscles].
        torque: Active torque wanted [N m], shape [num_frames, num_coordinates].
        scale: What torque errors are divided by [N m], shape [num_coordinates].
        regularisation: r.
        iterations: Number of alternations.
    """
    system = (torque_per_activation / scale[:, None]).double()
    wanted = (torque / scale).double()
    frames, coordinates, muscles = system.shape
    weight = regularisation * coordinates / muscles
    aim = torch.einsum("fcm,fc->fm", system, wanted)
    penalty = (PENALTY * system.square().sum((1, 2)) / muscles).clamp(min=1e-9)[:, None]
    total = weight + penalty
    gram = system @ system.transpose(1, 2)
    gram.diagonal(dim1=1, dim2=2).add_(total)
    factor = torch.linalg.cholesky(gram)
    bounded, dual = (torch.zeros(frames, muscles, dtype=torch.float64) for _ in range(2))
    for _ in range(iterations):
        right = aim + penalty * (bounded - dual)
        inner = torch.cholesky_solve(torch.einsum("fcm,fm->fc", system, right)[..., None], factor)[..., 0]
        free = (right - torch.einsum("fcm,fc->fm", system, inner)) / total
        free = RELAXATION * free + (1.0 - RELAXATION) * bounded
        bounded = (free + dual).clamp(0.0, 1.0)
        dual += free - bounded
    error = torch.einsum("fcm,fm->fc", system, bounded) - wanted
    gradient = torch.einsum("fcm,fc->fm", system, error) + weight * bounded
    gap = ((bounded - gradient / total).clamp(0.0, 1.0) - bounded).abs().amax(-1)
    return BoundedSolution(bounded, gap)
