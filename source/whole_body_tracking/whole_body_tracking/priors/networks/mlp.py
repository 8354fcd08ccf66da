"""A network that sees the last few states."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class HistoryMLP(nn.Module):
    """MLP over the last ``history`` states of every position of a sequence; earlier than the first, the first counts.

    Features are the last hidden layer.
    """

    def __init__(self, dim: int, num_outputs: int, history: int = 8, hidden: int = 512, layers: int = 3):
        """Build the network.

        Args:
            dim: Values of a state.
            num_outputs: Values to predict.
            history: States that it sees.
            hidden: Width of each hidden layer.
            layers: Number of hidden layers.
        """
        super().__init__()
        self.context, self.num_features = history, hidden
        widths = [dim * history, *[hidden] * layers]
        blocks = [
            nn.Sequential(nn.Linear(a, b), nn.LayerNorm(b), nn.SiLU())
            for a, b in zip(widths[:-1], widths[1:], strict=True)
        ]
        self.trunk = nn.Sequential(*blocks)
        self.head = nn.Linear(hidden, num_outputs)
        nn.init.zeros_(self.head.bias)
        nn.init.normal_(self.head.weight, std=0.01)

    def features(self, states: Tensor) -> Tensor:
        """Features at every position, shape [batch, num_frames, num_features]."""
        first = states[:, :1].expand(-1, self.context - 1, -1)
        padded = torch.cat((first, states), dim=1)
        windows = padded.unfold(1, self.context, 1).transpose(-1, -2)  # [batch, num_frames, history, dim]
        return self.trunk(windows.flatten(-2))

    def last_features(self, states: Tensor) -> Tensor:
        """Features at the last position, shape [batch, num_features]; cheaper than all of them."""
        missing = self.context - states.shape[1]
        if missing > 0:
            states = torch.cat((states[:, :1].expand(-1, missing, -1), states), dim=1)
        return self.trunk(states[:, -self.context :].flatten(1))

    def forward(self, states: Tensor) -> Tensor:
        """Predictions at every position, shape [batch, num_frames, num_outputs]."""
        return self.head(self.features(states))
