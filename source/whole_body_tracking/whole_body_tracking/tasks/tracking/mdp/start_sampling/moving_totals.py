"""Moving averages of counts that several ranks can share. No simulator."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


class MovingTotals:
    """Moving averages of counts per step: values <- (1 - alpha) values + alpha new.

    Being linear in the counts, they can be merged across ranks at any time: what a rank added since the last merge is
    summed over ranks, and the result is what one rank that saw everything would have.
    """

    def __init__(self, *shape: int, alpha: float, device: torch.device | str = "cpu"):
        """Start at zero.

        Args:
            shape: Shape of the counts.
            alpha: Weight of the newest step, in (0, 1].
            device: Where to keep them.
        """
        self.alpha = alpha
        self.values = torch.zeros(shape, device=device)
        """Averages as this rank knows them."""
        self.new = torch.zeros_like(self.values)
        """Counts of the step in progress; add to them in place."""
        self.is_shared = False
        """Whether :meth:`merge` will be called, for which this rank's own part is kept apart."""
        self._own = torch.zeros_like(self.values)

    def fold(self, frozen: bool = False) -> None:
        """Fold the step's counts into the averages, or drop them if ``frozen``."""
        if not frozen:
            self.values.lerp_(self.new, self.alpha)
            if self.is_shared:
                self._own.lerp_(self.new, self.alpha)
        self.new.zero_()

    def clear(self) -> None:
        """Go back to zero."""
        for counts in (self.values, self.new, self._own):
            counts.zero_()

    def merge(self, all_reduce: Callable[[Tensor], object]) -> None:
        """Exchange what ranks added since the last merge; every rank has to call it after the same number of steps.

        Args:
            all_reduce: Sums a tensor over ranks, in place.
        """
        common = self.values - self._own
        all_reduce(self._own)
        self.values.copy_(common + self._own)
        self._own.zero_()
