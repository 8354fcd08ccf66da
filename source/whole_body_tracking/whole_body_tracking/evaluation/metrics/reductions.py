"""Reduce values per step to one per rollout: pure functions of recorded trajectories.

Trajectories have shape [num_steps, num_rollouts, ...]; ``valid`` [num_steps, num_rollouts] says which steps belong to a
rollout that was still running. Errors are averaged over the valid steps of each rollout.
"""

from __future__ import annotations

import torch
from torch import Tensor


def masked_mean(values: Tensor, valid: Tensor) -> Tensor:
    """Mean of each rollout over its valid steps, shape [num_rollouts].

    Args:
        values: Per-step values, shape [num_steps, num_rollouts].
        valid: Which steps count, same shape. A rollout without a valid step gives NaN.
    """
    return torch.where(valid, values, 0.0).sum(0) / valid.sum(0)


def correlation(a: Tensor, b: Tensor, valid: Tensor) -> Tensor:
    """Pearson correlation of two signals over steps and channels, each channel about its own mean, [num_rollouts].

    Args:
        a: A signal, shape [num_steps, num_rollouts, num_channels].
        b: Another one, same shape. Where either stands still the result is NaN.
        valid: Which steps count, shape [num_steps, num_rollouts].
    """
    weight = valid[..., None].expand_as(a)
    a, b = (torch.where(weight, x - masked_mean(x, weight), 0.0) for x in (a, b))
    spread = (a.square().sum((0, 2)) * b.square().sum((0, 2))).sqrt()
    return torch.where(spread > 0.0, (a * b).sum((0, 2)) / spread, torch.nan)


def running_until_failure(failed: Tensor, num_steps: Tensor) -> Tensor:
    """Steps that belong to a rollout: up to and including the first failure, and within its clip.

    Args:
        failed: Whether a failure criterion holds at each step, shape [num_steps, num_rollouts].
        num_steps: Steps of each rollout's clip, shape [num_rollouts].
    """
    before = torch.cat((torch.zeros_like(failed[:1]), failed[:-1])).cumsum(0) == 0
    return before & _within(failed, num_steps)


def success(failed: Tensor, num_steps: Tensor) -> Tensor:
    """Whether each rollout reached the end of its clip without failing, shape [num_rollouts]."""
    return ~(failed & _within(failed, num_steps)).any(0)


def completion(failed: Tensor, num_steps: Tensor) -> Tensor:
    """Share of a clip's steps done before failing, in [0, 1], shape [num_rollouts]."""
    return num_steps_done(failed, num_steps) / num_steps


def num_steps_done(failed: Tensor, num_steps: Tensor) -> Tensor:
    """Steps done before failing, shape [num_rollouts]."""
    return (running_until_failure(failed, num_steps) & ~failed).sum(0)


def normalized_return(reward: Tensor, failed: Tensor, num_steps: Tensor) -> Tensor:
    """Sum of ``reward`` (a share of its maximum) before failing over the clip's steps, shape [num_rollouts]."""
    counted = running_until_failure(failed, num_steps) & ~failed
    return torch.where(counted, reward, 0.0).sum(0) / num_steps


def _within(values: Tensor, num_steps: Tensor) -> Tensor:
    return torch.arange(len(values), device=values.device)[:, None] < num_steps
