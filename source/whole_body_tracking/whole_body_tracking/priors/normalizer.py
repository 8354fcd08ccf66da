"""Means and standard deviations of states, and of the changes of velocities that networks predict."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from .state import StateLayout

SMALLEST_STD = 1e-4
"""Of a value that hardly changes: a welded joint divides by this."""


class Normalizer(nn.Module):
    """Statistics over the training clips, stored with the network."""

    def __init__(self, layout: StateLayout):
        super().__init__()
        self.register_buffer("mean", torch.zeros(layout.dim))
        self.register_buffer("std", torch.ones(layout.dim))
        self.register_buffer("change_std", torch.ones(layout.dim))
        """Of the change of each value from frame to frame; the last ones are those of velocities."""

    def forward(self, states: Tensor) -> Tensor:
        """States with mean 0 and standard deviation 1."""
        return (states - self.mean) / self.std

    def fit(self, clips: Iterable[Tensor]) -> None:
        """Set the statistics from clips that are held in memory one at a time.

        Args:
            clips: States, each of shape [num_frames, dim].

        Raises:
            ValueError: If there are fewer than two frames.
        """
        count, total, squares, changes, num_changes = 0, 0.0, 0.0, 0.0, 0
        for states in clips:
            states = states.double()
            count, total, squares = count + len(states), total + states.sum(0), squares + states.square().sum(0)
            change = states.diff(dim=0)
            changes, num_changes = changes + change.square().sum(0), num_changes + len(change)
        if count < 2 or num_changes < 1:
            raise ValueError("The statistics of the states need at least two frames.")
        mean = total / count
        self.mean.copy_(mean)
        self.std.copy_((squares / count - mean.square()).clamp(min=0.0).sqrt().clamp(min=SMALLEST_STD))
        self.change_std.copy_((changes / num_changes).sqrt().clamp(min=SMALLEST_STD))
