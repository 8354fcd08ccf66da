"""How much of the reward that could be earned in each bin is earned. No simulator."""

from __future__ import annotations

import torch
from torch import Tensor

from .moving_totals import MovingTotals

EARNED, POSSIBLE = range(2)


class BinEarnings:
    """Moving averages of earned and possible rewards per bin, in steps of full reward.

    A step made in a bin could have earned 1; an episode that fails in it could have earned 1 in each of the bin's
    frames that were left as well. So both tracking badly and falling make a bin's share small, and an episode that
    ends for another reason does not.
    """

    def __init__(self, num_bins: int, alpha: float, device: torch.device | str):
        """Start with nothing known; ``alpha`` is the weight of the newest step, in (0, 1]."""
        self.totals = MovingTotals(2, num_bins, alpha=alpha, device=device)

    @property
    def shares(self) -> Tensor:
        """Share of the possible reward that is earned in each bin, shape [num_bins]; 1 where nobody has been."""
        earned, possible = self.totals.values
        return torch.where(possible > 0, earned / possible.clamp(min=1e-12), 1.0).clamp(0.0, 1.0)

    @property
    def mean_share(self) -> Tensor:
        """Mean of the shares of those bins that somebody has been to, a scalar; 0 while there are none."""
        seen = self.totals.values[POSSIBLE] > 0
        return (self.shares * seen).sum() / seen.sum().clamp(min=1)

    def record(self, bins: Tensor, rewards: Tensor, counts: Tensor, lost: Tensor | None = None) -> None:
        """Count a step of some envs.

        Args:
            bins: Bin of the frame that each aimed at, shape [num]; -1 where there is none.
            rewards: Reward over the largest that a step can have, shape [num]; cut to [0, 1].
            counts: Whether a step was made, shape [num].
            lost: Frames of the bin that a failure leaves unreached, shape [num]; None for envs that go on.
        """
        bins, made = bins.clamp(min=0), counts.to(rewards.dtype)
        self.totals.new[EARNED].index_add_(0, bins, rewards.nan_to_num(0.0).clamp(0.0, 1.0) * made)
        self.totals.new[POSSIBLE].index_add_(0, bins, made if lost is None else made * (1.0 + lost))
