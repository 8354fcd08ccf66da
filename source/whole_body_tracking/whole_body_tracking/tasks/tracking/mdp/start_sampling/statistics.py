"""Statistics of how episodes of each clip end. No simulator."""

from __future__ import annotations

import torch
from torch import Tensor

from .moving_totals import MovingTotals

ENDED, FAILED, STEPS = range(3)


class ClipStatistics(MovingTotals):
    """Moving averages of ended episodes, failed episodes and survived steps of each clip, shape [3, num_clips]."""

    def __init__(self, num_clips: int, alpha: float, device: torch.device | str = "cpu"):
        """Start without any episode."""
        super().__init__(3, num_clips, alpha=alpha, device=device)

    def record(self, clip_ids: Tensor, num_steps: Tensor, ended: Tensor, failed: Tensor) -> None:
        """Count episodes, each argument of shape [num_episodes].

        Args:
            clip_ids: Clip of each episode.
            num_steps: Steps it lasted.
            ended: Whether it was a real episode that ended; others are ignored.
            failed: Whether it ended in failure rather than by a time-out.
        """
        values = torch.stack((ended, ended & failed, ended * num_steps)).to(self.new.dtype)
        self.new.index_add_(1, clip_ids, values)

    @property
    def has_episodes(self) -> Tensor:
        """Whether episodes of each clip have ended, shape [num_clips]."""
        return self.values[ENDED] > 0

    @property
    def failure_rates(self) -> Tensor:
        """Share of each clip's episodes that ended in failure, shape [num_clips], zero where none has ended."""
        return self._mean(FAILED)

    @property
    def mean_steps(self) -> Tensor:
        """Mean steps of each clip's ended episodes, shape [num_clips], zero where none has ended."""
        return self._mean(STEPS)

    def _mean(self, row: int) -> Tensor:
        return torch.where(self.has_episodes, self.values[row] / self.values[ENDED].clamp(min=1e-30), 0.0)
