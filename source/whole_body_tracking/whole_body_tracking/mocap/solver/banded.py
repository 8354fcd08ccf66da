"""Normal equations of a whole motion: blocks on the diagonal, second differences between frames, solved by a banded
Cholesky factorisation."""

from __future__ import annotations

import numpy as np
from scipy.linalg import solveh_banded
from torch import Tensor


def second_differences(values: np.ndarray) -> np.ndarray:
    """x[t+1] - 2 x[t] + x[t-1] of rows, shape [num_frames - 2, n]."""
    return values[2:] - 2.0 * values[1:-1] + values[:-2]


def spread(differences: np.ndarray, num_frames: int) -> np.ndarray:
    """Transpose of :func:`second_differences`, shape [num_frames, n]."""
    result = np.zeros((num_frames, differences.shape[1]))
    result[2:] += differences
    result[1:-1] -= 2.0 * differences
    result[:-2] += differences
    return result


def solve_motion(
    hessian: Tensor, gradient: np.ndarray, smoothness: float, damping: np.ndarray, free: np.ndarray
) -> np.ndarray:
    """Step of all frames: (H + s^2 D^T D + damping diag(H)) step = -gradient on the free unknowns, 0 on the others.

    Args:
        hessian: Blocks, shape [num_frames, n, n].
        gradient: Shape [num_frames, n], smoothness included.
        smoothness: Weight s of the second differences D.
        damping: Of Levenberg and Marquardt, shape [num_frames].
        free: Which unknowns may move, shape [num_frames, n].

    Returns:
        The step, shape [num_frames, n].
    """
    blocks, (frames, n) = hessian.numpy(), gradient.shape
    weight = smoothness**2
    band = np.zeros((2 * n + 1, frames, n))  # band[k, t, i]: entry of the unknowns (t, i) and the k-th after it
    own, next_, after = _coupling(frames)
    mask = free.astype(np.float64)
    for k in range(n):
        band[k, :, : n - k] = np.diagonal(blocks, offset=-k, axis1=1, axis2=2)
        band[k, :, : n - k] *= mask[:, : n - k] * mask[:, k:]
    band[0] *= 1.0 + damping[:, None]
    band[0] += weight * own[:, None] * mask + (1.0 - mask)
    band[n, :-1] = weight * next_[:, None] * mask[:-1] * mask[1:]
    if frames > 2:
        band[2 * n, :-2] = weight * after[:, None] * mask[:-2] * mask[2:]
    right = (-gradient * mask).reshape(-1)
    step = solveh_banded(
        band.reshape(2 * n + 1, -1), right, lower=True, overwrite_ab=True, overwrite_b=True, check_finite=False
    )
    return step.reshape(frames, n)


def _coupling(frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """D^T D of second differences: its diagonal and the next two."""
    own, next_, after = np.zeros(frames), np.zeros(frames - 1), np.zeros(max(frames - 2, 0))
    for shift, value in ((0, 1.0), (1, 4.0), (2, 1.0)):
        own[shift : frames - 2 + shift] += value
    if frames > 2:
        next_[: frames - 2] -= 2.0
        next_[1:] -= 2.0
        after += 1.0
    return own, next_, after
