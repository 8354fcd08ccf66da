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


class BoundedSolver:
    """Minimises mean (A a - tau)^2 / scale^2 + r mean (a - a0)^2 over 0 <= a <= 1 for given A, for many frames at once.

    Alternating directions (Boyd et al., Foundations and Trends in Machine Learning 3, 2011): a linear system whose
    matrix is inverted once per frame, then a clamp.
    """

    def __init__(
        self,
        torque_per_activation: Tensor,
        scale: Tensor,
        regularisation: float = REGULARISATION,
        dtype: torch.dtype = torch.float64,
    ):
        """Prepare the frames.

        Args:
            torque_per_activation: A [N m], shape [num_frames, num_coordinates, num_muscles].
            scale: What torque errors are divided by [N m], shape [num_coordinates].
            regularisation: r.
            dtype: Of the iterations; the preparation is in float64.
        """
        system = (torque_per_activation / scale[:, None]).double()
        _, coordinates, muscles = system.shape
        self._weight = regularisation * coordinates / muscles
        penalty = (PENALTY * system.square().sum((1, 2)) / muscles).clamp(min=1e-9)[:, None]
        gram = system @ system.transpose(1, 2)
        gram.diagonal(dim1=1, dim2=2).add_(self._weight + penalty)
        self._inverse = torch.cholesky_inverse(torch.linalg.cholesky(gram)).to(dtype)
        self._system, self._penalty, self._scale = system.to(dtype), penalty.to(dtype), scale.to(dtype)

    def __call__(
        self, torque: Tensor, frames: Tensor | None = None, iterations: int = ITERATIONS, rest: float = 0.0
    ) -> BoundedSolution:
        """Solve.

        Args:
            torque: Active torque wanted [N m], shape [num_problems, num_coordinates].
            frames: Whose A each problem has, shape [num_problems]; None takes all frames in order.
            iterations: Number of alternations.
            rest: a0, the activation of muscles that are not needed.
        """
        rows = slice(None) if frames is None else frames
        system, inverse, penalty = self._system[rows], self._inverse[rows], self._penalty[rows]
        total = self._weight + penalty
        wanted = torque.to(system.dtype) / self._scale
        aim = torch.einsum("fcm,fc->fm", system, wanted) + self._weight * rest
        bounded, dual = torch.full_like(aim, rest), torch.zeros_like(aim)
        for _ in range(iterations):
            right = aim + penalty * (bounded - dual)
            inner = torch.einsum("fcd,fd->fc", inverse, torch.einsum("fcm,fm->fc", system, right))
            free = (right - torch.einsum("fcm,fc->fm", system, inner)) / total
            free = RELAXATION * free + (1.0 - RELAXATION) * bounded
            bounded = (free + dual).clamp(0.0, 1.0)
            dual += free - bounded
        error = torch.einsum("fcm,fm->fc", system, bounded) - wanted
        gradient = torch.einsum("fcm,fc->fm", system, error) + self._weight * (bounded - rest)
        gap = ((bounded - gradient / total).clamp(0.0, 1.0) - bounded).abs().amax(-1)
        return BoundedSolution(bounded, gap)


def bounded_activations(
    torque_per_activation: Tensor,
    torque: Tensor,
    scale: Tensor,
    regularisation: float = REGULARISATION,
    iterations: int = ITERATIONS,
    rest: float = 0.0,
) -> BoundedSolution:
    """A :class:`BoundedSolver` that is used once; the arguments are its own."""
    return BoundedSolver(torque_per_activation, scale, regularisation)(torque, iterations=iterations, rest=rest)
