"""A causal transformer over states."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class CausalTransformer(nn.Module):
    """Pre-norm transformer: position i attends to positions up to i, with learned embeddings of positions.

    Features are the last layer's, normalised.
    """

    def __init__(
        self,
        dim: int,
        num_outputs: int,
        context: int = 64,
        hidden: int = 256,
        layers: int = 4,
        heads: int = 4,
        dropout: float = 0.0,
    ):
        """Build the network.

        Args:
            dim: Values of a state.
            num_outputs: Values to predict.
            context: Longest sequence.
            hidden: Width of the embedding.
            layers: Number of blocks.
            heads: Attention heads; ``hidden`` is a multiple of it.
            dropout: Share of activations that training drops.
        """
        super().__init__()
        self.context, self.num_features = context, hidden
        self.embed = nn.Linear(dim, hidden)
        self.places = nn.Parameter(0.02 * torch.randn(context, hidden))
        self.blocks = nn.ModuleList(_Block(hidden, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(hidden)
        self.head = nn.Linear(hidden, num_outputs)
        nn.init.zeros_(self.head.bias)
        nn.init.normal_(self.head.weight, std=0.01)

    def features(self, states: Tensor) -> Tensor:
        """Features at every position, shape [batch, num_frames, num_features]."""
        hidden = self.embed(states) + self.places[-states.shape[1] :]  # the newest state always has the last place
        for block in self.blocks:
            hidden = block(hidden)
        return self.norm(hidden)

    def last_features(self, states: Tensor) -> Tensor:
        """Features at the last position, shape [batch, num_features]."""
        return self.features(states[:, -self.context :])[:, -1]

    def forward(self, states: Tensor) -> Tensor:
        """Predictions at every position, shape [batch, num_frames, num_outputs]."""
        return self.head(self.features(states))


class _Block(nn.Module):
    """Attention to what came before, then an MLP of four times the width; both are added to their input."""

    def __init__(self, hidden: int, heads: int, dropout: float):
        super().__init__()
        if hidden % heads:
            raise ValueError(f"The width {hidden} of the transformer is not a multiple of its {heads} heads.")
        self.heads, self.dropout = heads, dropout
        self.norm_attention, self.norm_mlp = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.qkv, self.out = nn.Linear(hidden, 3 * hidden), nn.Linear(hidden, hidden)
        self.mlp = nn.Sequential(nn.Linear(hidden, 4 * hidden), nn.GELU(), nn.Linear(4 * hidden, hidden))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        batch, frames, hidden = x.shape
        qkv = self.qkv(self.norm_attention(x)).view(batch, frames, 3, self.heads, hidden // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        dropout = self.dropout if self.training else 0.0
        attended = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=dropout)
        x = x + self.drop(self.out(attended.transpose(1, 2).reshape(batch, frames, hidden)))
        return x + self.drop(self.mlp(self.norm_mlp(x)))
