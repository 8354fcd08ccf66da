"""Means and standard deviations of states, and of the changes of velocities that networks predict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from .state import StateLayout

SMALLEST_STD = 1e-4
"""Of a value that hardly changes: a welded joint divides by this."""
LIVE_STD = {
    "root_height": 0.01, "up_b": 0.02, "joint_pos": 0.05,
    "root_lin_vel_b": 0.1, "root_ang_vel_b": 0.2, "joint_vel": 0.2,
}  # fmt: skip
"""Smallest ones of each part where robots are judged that move by themselves: clips may leave a joint at rest, and no
robot holds it as still."""


class Normalizer(nn.Module):
    """Statistics over the training clips, stored with the network."""

    def __init__(self, layout: StateLayout, smallest: Mapping[str, float] | None = None):
        """Start with mean 0 and standard deviation 1.

        Args:
            layout: Of the states.
            smallest: Smallest standard deviation of each part, such as :data:`LIVE_STD`; None takes
                :data:`SMALLEST_STD` for all.
        """
        super().__init__()
        least = torch.full((layout.dim,), SMALLEST_STD)
        for part, value in (smallest or {}).items():
            least[layout.slices[part]] = value
        self.register_buffer("smallest", least, persistent=False)
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
        self.std.copy_((squares / count - mean.square()).clamp(min=0.0).sqrt().clamp(min=self.smallest))
        self.change_std.copy_((changes / num_changes).sqrt().clamp(min=SMALLEST_STD))
