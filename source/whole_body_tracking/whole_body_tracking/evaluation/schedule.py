"""Which rollouts run together. Their numbers do not depend on it."""

from __future__ import annotations

import torch
from torch import Tensor


def plan_rollouts(num_clips: int, num_rollouts: int) -> Tensor:
    """Clip of each rollout, shape [>= num_rollouts]: every clip equally often, the first repeat of all clips first.

    Args:
        num_clips: Number of clips.
        num_rollouts: Rollouts to make at least.
    """
    repeats = max(1, -(-num_rollouts // num_clips))
    return torch.arange(num_clips).repeat(repeats)


def plan_batches(num_steps: Tensor, num_worlds: int) -> list[Tensor]:
    """Rollouts of each batch, as indices; the longest first, so that those that run together end together.

    Args:
        num_steps: Steps of each rollout, shape [num_rollouts].
        num_worlds: Worlds to run them in; the last batch may leave some without a rollout.
    """
    if num_worlds >= len(num_steps):
        return [torch.arange(len(num_steps))]
    order = torch.sort(num_steps, descending=True, stable=True).indices
    return list(order.split(num_worlds))
