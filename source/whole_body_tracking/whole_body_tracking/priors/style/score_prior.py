"""A diffusion prior of short windows of motion, and how badly a window fits it.

With x a normalised window, a_i the share of signal at noise level i and n normal noise, the network f learns

    min |f(sqrt(a_i) x + sqrt(1 - a_i) n, i) - x|

over clips. The same error, of a window that somebody else moved, is its score loss: it is small where the prior can
restore the window, which it can for motions like those of the clips (score distillation; as a reward: SMP, arXiv
2512.03028). An error of x is one of the noise times sqrt((1 - a_i) / a_i), so both give the same normalised loss

    (loss - loss of clips) / (loss of unrelated frames - loss of clips)

which is 0 for clips on average and 1 for frames that have nothing to do with each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..networks.modes import NetworkSettings
from ..normalizer import LIVE_STD, Normalizer
from ..state import StateLayout
from .score_network import ScoreNetwork

NUM_LEVELS = 50
LEVELS = (22, 15, 8)
"""Noise levels whose losses a reward averages: few details, and most of the motion (SMP's)."""
SAMPLING_STEPS = 10
SCHEDULE_OFFSET = 0.008
SMALLEST_SHARE = 1e-4


def signal_shares(num_levels: int = NUM_LEVELS) -> Tensor:
    """Share of signal a_i of levels 0 (all signal) to ``num_levels`` (nearly none), shape [num_levels + 1].

    The cosine schedule of Nichol and Dhariwal, arXiv 2102.09672: g(i) / g(0), g(i) = cos^2(pi / 2 (i / T + s) / (1 +
    s)), with s = 0.008.
    """
    phase = (torch.arange(num_levels + 1, dtype=torch.double) / num_levels + SCHEDULE_OFFSET) / (1.0 + SCHEDULE_OFFSET)
    shares = (0.5 * math.pi * phase).cos().square()
    return (shares / shares[0]).clamp(min=SMALLEST_SHARE).float()


class ScorePrior(nn.Module):
    """A prior of windows of ``settings.history`` states."""

    def __init__(self, layout: StateLayout, settings: NetworkSettings):
        super().__init__()
        self.layout, self.settings = layout, settings
        self.normalizer = Normalizer(layout, LIVE_STD)
        self.network = ScoreNetwork(settings.history, layout.dim, settings.hidden, settings.layers, NUM_LEVELS)
        self.register_buffer("shares", signal_shares(), persistent=False)
        self.register_buffer("clip_loss", torch.zeros(NUM_LEVELS + 1))
        """Mean loss of validation clips at each level; level 0 is not used."""
        self.register_buffer("unrelated_loss", torch.ones(NUM_LEVELS + 1))
        """The same of windows whose frames are drawn one by one from those clips."""

    @property
    def num_frames(self) -> int:
        """States of a window."""
        return self.settings.history

    def noised(self, windows: Tensor, level: Tensor, noise: Tensor) -> Tensor:
        """Normalised windows at noise levels, shapes as :meth:`losses`."""
        share = self.shares[level][:, None, None]
        return share.sqrt() * windows + (1.0 - share).sqrt() * noise

    def losses(self, windows: Tensor, level: Tensor, noise: Tensor) -> Tensor:
        """Mean absolute error of the restored windows, in standard deviations, shape [batch].

        Args:
            windows: States, shape [batch, num_frames, dim].
            level: Noise level of each, 1 to 50, shape [batch].
            noise: Normal, shaped like ``windows``.
        """
        clean = self.normalizer(windows)
        restored = self.network(self.noised(clean, level, noise), level).float()
        return (restored - clean).abs().mean((1, 2))

    def normalized_losses(self, windows: Tensor, levels: Sequence[int] = LEVELS, noise: Tensor | None = None) -> Tensor:
        """Losses on the scale from clips (0 on average) to unrelated frames (1), shape [batch, num_levels].

        Args:
            windows: States, shape [batch, num_frames, dim].
            levels: Noise levels.
            noise: Normal, shape [num_levels, batch, num_frames, dim]; None draws it.
        """
        size = (len(levels), *windows.shape)
        noise = torch.randn(size, device=windows.device) if noise is None else noise
        level = torch.cat([torch.full((len(windows),), level, device=windows.device) for level in levels])
        losses = self.losses(windows.repeat(len(levels), 1, 1), level, noise.flatten(0, 1))
        span = self.unrelated_loss - self.clip_loss
        return ((losses - self.clip_loss[level]) / span[level]).view(len(levels), -1).T

    @torch.no_grad()
    def calibrate(self, windows: Tensor, random: torch.Generator) -> None:
        """Measure what clips and unrelated frames lose, as the scale of :meth:`normalized_losses`.

        Args:
            windows: States of clips that the training has not seen, shape [batch, num_frames, dim].
            random: Of noise and frames.

        Raises:
            ValueError: If there are fewer than two windows.
        """
        if len(windows) < 2:
            raise ValueError(f"The scale of the score loss needs at least 2 windows of clips, found {len(windows)}.")
        unrelated = unrelated_frames(windows, random)
        for index in range(1, NUM_LEVELS + 1):
            level = torch.full((len(windows),), index)
            noise = torch.randn(windows.shape, generator=random)
            self.clip_loss[index] = self.losses(windows, level, noise).mean()
            self.unrelated_loss[index] = self.losses(unrelated, level, noise).mean()

    @torch.no_grad()
    def sample(self, count: int, random: torch.Generator | None = None, steps: int = SAMPLING_STEPS) -> Tensor:
        """Windows drawn from the prior, shape [count, num_frames, dim].

        Deterministic steps from noise through equally spaced levels (DDIM, arXiv 2010.02502): from the restored x, the
        noise n that it leaves unexplained, and sqrt(a) x + sqrt(1 - a) n at the next level.

        Args:
            count: How many.
            random: Of the noise; None takes the device's generator.
            steps: Levels passed.
        """
        device = self.shares.device
        x = torch.randn(count, self.num_frames, self.layout.dim, generator=random, device=device)
        levels = torch.linspace(NUM_LEVELS, 0, steps + 1).round().int().tolist()
        for here, there in zip(levels[:-1], levels[1:], strict=True):
            clean = self.network(x, torch.full((count,), here, device=device)).float()
            share, following = self.shares[here], self.shares[there]
            noise = (x - share.sqrt() * clean) / (1.0 - share).sqrt()
            x = following.sqrt() * clean + (1.0 - following).sqrt() * noise
        return self.normalizer.mean + self.normalizer.std * x


def unrelated_frames(windows: Tensor, random: torch.Generator) -> Tensor:
    """Windows whose frames are drawn one by one from all windows, shaped like ``windows``."""
    frames = windows.flatten(0, 1)
    drawn = torch.randint(len(frames), (len(frames),), generator=random)
    return frames[drawn].view_as(windows)


def score_loss(model: ScorePrior, sequences: Tensor, random: torch.Generator) -> Tensor:
    """Mean loss over all windows of sequences, each at a level of its own, a scalar.

    Args:
        model: The prior.
        sequences: States, shape [batch, num_states, dim], with at least as many states as a window.
        random: Of levels and noise.
    """
    windows = sequences.unfold(1, model.num_frames, 1).movedim(-1, 2).flatten(0, 1)
    level = torch.randint(1, NUM_LEVELS + 1, (len(windows),), generator=random)
    noise = torch.randn(windows.shape, generator=random)
    return model.losses(windows, level, noise).mean()
