"""Probabilities of clips and their bins: pure functions of tensors."""

from __future__ import annotations

import torch
from torch import Tensor


def sum_by_clip(values: Tensor, bin_clip: Tensor, num_clips: int) -> Tensor:
    """Sum of bin values over each clip, shape [num_clips]."""
    return values.new_zeros(num_clips).index_add_(0, bin_clip, values)


def normalized(weights: Tensor) -> Tensor:
    """Weights over their sum; uniform while all are zero."""
    total = weights.sum()
    return torch.where(total > 0, weights / total.clamp(min=1e-12), 1.0 / len(weights))


def with_clip_shares(bin_weights: Tensor, bin_clip: Tensor, clip_shares: Tensor) -> Tensor:
    """Bin probabilities in which each clip has the given share and its bins are in proportion to their weights.

    Bins of a clip whose weights are all zero are equally likely.

    Args:
        bin_weights: Weight of each bin, shape [num_bins].
        bin_clip: Clip of each bin, shape [num_bins].
        clip_shares: Probability of each clip, shape [num_clips].
    """
    num_clips = len(clip_shares)
    totals = sum_by_clip(bin_weights, bin_clip, num_clips).index_select(0, bin_clip)
    counts = sum_by_clip(torch.ones_like(bin_weights), bin_clip, num_clips).index_select(0, bin_clip)
    inside = torch.where(totals > 0, bin_weights / totals.clamp(min=1e-12), 1.0 / counts)
    return inside * clip_shares.index_select(0, bin_clip)


def capped(shares: Tensor, caps: Tensor) -> Tensor:
    """The nearest shares below their caps: min(cap, scale * share) with the one scale whose sum is 1.

    Where even an infinite scale does not reach 1, because the uncapped shares are zero, what is left goes to all clips
    in proportion to the room under their caps.

    Args:
        shares: Probability of each clip, sums to 1, shape [num_clips].
        caps: Largest probability of each clip, sums to at least 1, shape [num_clips].
    """
    # Clips reach their caps in the order of cap / share. If the first k were capped, the scale would be
    # (1 - their caps) / (shares of the others). With a wrong k that is too small, so the largest one is right.
    order = (caps / shares.clamp(min=1e-12)).argsort()
    capped_sum = caps[order].cumsum(0) - caps[order]
    free_sum = shares[order].flip(0).cumsum(0).flip(0)
    scale = ((1.0 - capped_sum) / free_sum.clamp(min=1e-12)).max()
    result = torch.minimum(caps, scale * shares)
    room = caps - result
    return result + (1.0 - result.sum()) * room / room.sum().clamp(min=1e-12)
