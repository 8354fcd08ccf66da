"""Value at the end of imagined rollouts: what the policy's cost will be after the last imagined step. No simulator."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

WIDTH = 256
"""Units of each of the two hidden layers."""
TARGET_RATE = 0.02
"""Share by which the network that targets are taken from follows an update."""


class HorizonValue(nn.Module):
    """Discounted cost to go V(o) from an observation, learnt from imagined rollouts of H steps::

        V(o_0)  <-  sum_{t < H} g^t c_t + g^H V'(o_H)

    V' follows V slowly. Costs of steps past the clip's end are 0, and so is V'(o_H) if the clip has ended by then.
    """

    def __init__(self, num_inputs: int, discount: float):
        """Build the networks for normalised observations of some width; the first value of all is nearly 0."""
        super().__init__()
        self.discount = discount
        last = nn.Linear(WIDTH, 1)
        with torch.no_grad():
            last.weight.mul_(0.01)
            last.bias.zero_()
        self.network = nn.Sequential(nn.Linear(num_inputs, WIDTH), nn.ELU(), nn.Linear(WIDTH, WIDTH), nn.ELU(), last)
        self.target = copy.deepcopy(self.network).requires_grad_(False)

    def forward(self, observations: Tensor) -> Tensor:
        """Values, shape [batch]."""
        return self.network(observations).squeeze(-1)

    def loss(self, first: Tensor, costs: Tensor, last: Tensor, goes_on: Tensor) -> Tensor:
        """Mean squared distance from the targets, a scalar.

        Args:
            first: Normalised observations at the start, shape [batch, num_inputs].
            costs: Costs of the steps, 0 past the clip's end, shape [horizon, batch].
            last: Observations at the end, shape [batch, num_inputs].
            goes_on: Whether the clip has not ended by then, shape [batch].
        """
        with torch.no_grad():
            powers = self.discount ** torch.arange(len(costs) + 1, device=costs.device, dtype=costs.dtype)
            after = torch.where(goes_on, self.target(last).squeeze(-1), 0.0)
            targets = (powers[:-1, None] * costs).sum(0) + powers[-1] * after
        return (self(first) - targets).square().mean()

    @torch.no_grad()
    def follow(self) -> None:
        """Move the network that targets are taken from."""
        for slow, fast in zip(self.target.parameters(), self.network.parameters(), strict=True):
            slow.lerp_(fast, TARGET_RATE)
