"""The network of the score prior: from a noisy window to the clean one."""

from __future__ import annotations

from torch import Tensor, nn


class ScoreNetwork(nn.Module):
    """Residual MLP on whole windows; every block is scaled and shifted by the noise level.

    It gives the clean window, not the noise: motions fill little of the space of windows, so a narrow network can tell
    them, while noise fills all of it.
    """

    def __init__(self, num_frames: int, dim: int, hidden: int, layers: int, num_levels: int):
        """Build the network.

        Args:
            num_frames: Frames of a window.
            dim: Values of a frame.
            hidden: Width.
            layers: Number of blocks.
            num_levels: Noise levels.
        """
        super().__init__()
        self.shape = (num_frames, dim)
        self.embed = nn.Linear(num_frames * dim, hidden)
        self.blocks = nn.ModuleList(_Block(hidden, num_levels) for _ in range(layers))
        self.norm = nn.LayerNorm(hidden)
        self.head = nn.Linear(hidden, num_frames * dim)
        nn.init.zeros_(self.head.bias)
        nn.init.normal_(self.head.weight, std=0.01)  # it starts from the mean window

    def forward(self, noisy: Tensor, level: Tensor) -> Tensor:
        """Clean windows, shape [batch, num_frames, dim].

        Args:
            noisy: Normalised windows with noise, shape [batch, num_frames, dim].
            level: Noise level of each, from 1, shape [batch].
        """
        hidden = self.embed(noisy.flatten(1))
        for block in self.blocks:
            hidden = block(hidden, level - 1)
        return self.head(self.norm(hidden)).unflatten(1, self.shape)


class _Block(nn.Module):
    def __init__(self, hidden: int, num_levels: int):
        super().__init__()
        self.norm = nn.LayerNorm(hidden, elementwise_affine=False)
        self.modulation = nn.Embedding(num_levels, 2 * hidden)
        nn.init.zeros_(self.modulation.weight)
        self.mlp = nn.Sequential(nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, hidden))

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        scale, shift = self.modulation(level).chunk(2, dim=-1)
        return x + self.mlp(self.norm(x) * (1.0 + scale) + shift)
