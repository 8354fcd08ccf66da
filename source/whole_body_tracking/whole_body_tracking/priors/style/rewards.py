"""Kernels from what a prior says of a window to a reward in [0, 1]. Pure functions of tensors."""

from __future__ import annotations

import torch
from torch import Tensor

from ..motion_model import MotionModel


def score_reward(normalized_losses: Tensor, scale: float) -> Tensor:
    """exp(-scale * loss), at most 1, mean over noise levels, shape [batch].

    Args:
        normalized_losses: Of :meth:`~.score_prior.ScorePrior.normalized_losses`, shape [batch, num_levels].
        scale: SMP (arXiv 2512.03028) takes 6.
    """
    return torch.exp(-scale * normalized_losses.clamp(min=0.0)).mean(-1)


def surprise(model: MotionModel, states: Tensor) -> Tensor:
    """How much worse than clips a model predicts the last state, shape [batch]; 1 for clips.

    The root mean square over velocities of what it misses, each over what it misses in clips (``residual_std``).

    Args:
        model: Predicts.
        states: Its context and one more, shape [batch, context + 1, dim].
    """
    first = model.layout.num_positions
    missed = (states[:, -1] - model.next_state(states[:, :-1]))[:, first:]
    usual = model.normalizer.change_std[first:] * model.residual_std
    return (missed / usual).square().mean(-1).sqrt()


def prediction_reward(surprise: Tensor, std: float) -> Tensor:
    """exp(-(surprise - 1) / std), at most 1, shape [batch].

    Args:
        surprise: Of :func:`surprise`, shape [batch].
        std: Surprise beyond that of clips at which the reward is 1/e.
    """
    return torch.exp(-(surprise - 1.0).clamp(min=0.0) / std)
