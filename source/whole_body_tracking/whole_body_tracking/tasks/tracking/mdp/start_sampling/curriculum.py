"""Curriculum over clips, from easy to hard. No simulator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .shares import normalized


class ClipCurriculum:
    """Opens clips in the order of their difficulty as those that are open get mastered.

    A level rises from 0 to 1 while the mean failure rate of open clips is at most ``max_failure_rate``. A clip of
    difficulty d, in [0, 1], opens gradually while the level passes from d - 1 / num_clips to d, so the easiest one is
    open from the start.
    """

    def __init__(self, difficulties: Tensor, num_steps: int, max_failure_rate: float):
        """Start at level 0.

        Args:
            difficulties: Difficulty of each clip, shape [num_clips]; only their order counts.
            num_steps: Steps in which the level rises from 0 to 1 if it never has to wait.
            max_failure_rate: Largest share of episodes that fail at which the level still rises.

        Raises:
            ValueError: If a number is out of range.
        """
        if num_steps < 1 or not 0.0 <= max_failure_rate <= 1.0:
            raise ValueError(
                f"Expected curriculum_steps >= 1 and 0 <= curriculum_max_failure <= 1, found {num_steps} and"
                f" {max_failure_rate}."
            )
        self._rank = difficulties.argsort(stable=True).argsort(stable=True) / len(difficulties)
        self._rise, self._max_failure_rate = 1.0 / num_steps, max_failure_rate
        self.level = torch.zeros((), device=difficulties.device)
        """How far the curriculum is, in [0, 1]."""

    @property
    def shares(self) -> Tensor:
        """Probability of each clip, shape [num_clips]: equal among open clips, zero for closed ones."""
        return normalized(self._opened)

    def update(self, failure_rates: Tensor, has_episodes: Tensor) -> None:
        """Raise the level by one step if it may.

        Args:
            failure_rates: Share of episodes of each clip that failed, shape [num_clips].
            has_episodes: Whether episodes of each clip have ended yet, shape [num_clips].
        """
        opened = self._opened
        rate = (opened * failure_rates).sum() / opened.sum()
        mastered = (rate <= self._max_failure_rate) & ((opened == 0) | has_episodes).all()
        self.level.add_(self._rise * mastered).clamp_(max=1.0)

    @property
    def _opened(self) -> Tensor:
        return (1.0 + (self.level - self._rank) * len(self._rank)).clamp(0.0, 1.0)


def completed_difficulties(given: Sequence[float | None], computed: Sequence[float]) -> list[float]:
    """Difficulties in which the given ones stay and the missing ones find their places among them.

    The two have different units: a manifest may count from 1 to 10. A clip without a given difficulty takes the place
    that its content has among the contents of the clips with one, linearly in between; beyond them it gets the
    smallest or largest given difficulty.

    Args:
        given: Difficulty of each clip in the manifest; None where it has none.
        computed: Difficulty of each clip from its content.
    """
    known = [index for index, value in enumerate(given) if value is not None]
    if not known:
        return list(computed)
    content, scale = sorted(computed[index] for index in known), sorted(given[index] for index in known)
    placed = np.interp(computed, content, scale)
    return [float(placed[index]) if value is None else float(value) for index, value in enumerate(given)]
