"""Where an episode starts: clips cut into bins, and how likely each bin is drawn. No simulator."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

StartStrategy = Literal["adaptive", "uniform", "first", "ancestor"]


class StartSampler:
    """Draws a clip and a start frame for each new episode.

    Every clip is cut into bins of equal duration; a bin never spans two clips. ``adaptive`` prefers bins in which
    episodes fail: it keeps moving averages of failures and visits a bin, smooths their ratio over the following bins
    of the same clip and mixes in a uniform share::

        rate_b = failures_b / visits_b,    q_b ~ sum_k lambda^k rate_{b+k},    p_b = (1 - u) q_b + u / num_bins

    The share ``u`` is a true floor: it does not depend on the number of worlds. ``ancestor`` is BeyondMimic's formula
    on failure counts, p_b ~ sum_k lambda^k (count_{b+k} + u / num_bins), kept for comparison. ``uniform`` draws bins in
    proportion to their frames, ``first`` starts every episode at frame 0 of a clip drawn uniformly.
    """

    _LAYOUT = ("bin_clip", "bin_length")

    def __init__(
        self,
        num_frames: Tensor,
        frames_per_bin: int,
        strategy: StartStrategy = "adaptive",
        uniform_ratio: float = 0.1,
        alpha: float = 0.001,
        kernel_size: int = 1,
        kernel_lambda: float = 0.8,
    ):
        """Cut the clips into bins.

        Args:
            num_frames: Frames of each clip, shape [num_clips], on the device to sample on.
            frames_per_bin: Length of a bin in frames.
            strategy: One of ``adaptive``, ``uniform``, ``first``, ``ancestor``.
            uniform_ratio: Share u of starts drawn uniformly over bins, in [0, 1].
            alpha: Weight of the newest step in the moving averages, in (0, 1].
            kernel_size: Number of following bins (this one included) that a bin answers for.
            kernel_lambda: Decay of the kernel from one bin to the next.

        Raises:
            ValueError: If a clip has no step to track or a number is out of range.
        """
        if int(num_frames.min()) < 2:
            raise ValueError(f"A clip needs at least 2 frames to start an episode, found {int(num_frames.min())}.")
        if not 0.0 <= uniform_ratio <= 1.0 or not 0.0 < alpha <= 1.0 or kernel_size < 1 or frames_per_bin < 1:
            raise ValueError(
                "Expected 0 <= uniform_ratio <= 1, 0 < alpha <= 1, kernel_size >= 1 and frames_per_bin >= 1, found"
                f" {uniform_ratio}, {alpha}, {kernel_size} and {frames_per_bin}."
            )
        self.strategy, self.uniform_ratio, self.alpha = strategy, uniform_ratio, alpha
        self.frozen = False
        """Whether statistics stay as they are, as in play and evaluation."""
        self._frames_per_bin = frames_per_bin
        device = num_frames.device
        starts = num_frames - 1  # the last frame has no successor to track
        self._bins_per_clip = (starts + frames_per_bin - 1) // frames_per_bin
        self._first_bin = torch.cumsum(self._bins_per_clip, 0) - self._bins_per_clip
        self.num_clips, self.num_bins = len(num_frames), int(self._bins_per_clip.sum())
        self.bin_clip = torch.repeat_interleave(torch.arange(self.num_clips, device=device), self._bins_per_clip)
        bin_in_clip = torch.arange(self.num_bins, device=device) - self._first_bin[self.bin_clip]
        self.bin_start = bin_in_clip * frames_per_bin
        self.bin_length = (starts[self.bin_clip] - self.bin_start).clamp(max=frames_per_bin)
        last_bin = (self._first_bin + self._bins_per_clip - 1)[self.bin_clip]
        ahead = torch.arange(self.num_bins, device=device)[:, None] + torch.arange(kernel_size, device=device)
        self._kernel_bins = torch.minimum(ahead, last_bin[:, None])
        self._kernel = kernel_lambda ** torch.arange(kernel_size, dtype=torch.float32, device=device)
        self.failures = torch.zeros(self.num_bins, device=device)
        self.visits = torch.zeros(self.num_bins, device=device)
        self._new_failures = torch.zeros_like(self.failures)
        self._new_visits = torch.zeros_like(self.visits)

    def bin_of(self, clip_ids: Tensor, frames: Tensor) -> Tensor:
        """Bin of each (clip, frame), shape [num_queries]."""
        bins_into_clip = torch.minimum(frames // self._frames_per_bin, self._bins_per_clip[clip_ids] - 1)
        return self._first_bin[clip_ids] + bins_into_clip

    @property
    def failure_rates(self) -> Tensor:
        """Share of visits to each bin that ended in failure there, shape [num_bins], zero where never visited."""
        return torch.where(self.visits > 0, self.failures / self.visits.clamp(min=1e-12), 0.0).clamp(max=1.0)

    def probabilities(self) -> Tensor:
        """Probability of starting in each bin, shape [num_bins], sums to 1."""
        if self.strategy == "first":
            weights = (self.bin_start == 0).float()
            return weights / weights.sum()
        if self.strategy == "uniform":
            return self.bin_length / self.bin_length.sum()
        uniform = 1.0 / self.num_bins
        if self.strategy == "ancestor":
            weights = self._smooth(self.failures + self.uniform_ratio * uniform)
            return weights / weights.sum() if float(weights.sum()) > 0.0 else torch.full_like(weights, uniform)
        weights = self._smooth(self.failure_rates)
        total = weights.sum()
        adaptive = torch.where(total > 0, weights / total.clamp(min=1e-12), uniform)
        return (1.0 - self.uniform_ratio) * adaptive + self.uniform_ratio * uniform

    def sample(self, num: int) -> tuple[Tensor, Tensor]:
        """Draw clip ids and start frames, each of shape [num]; a start frame always has a successor."""
        bins = torch.multinomial(self.probabilities(), num, replacement=True)
        offset = torch.rand(num, device=bins.device) * self.bin_length[bins]
        if self.strategy == "first":
            offset = torch.zeros_like(offset)
        frames = self.bin_start[bins] + torch.minimum(offset.long(), self.bin_length[bins] - 1)
        return self.bin_clip[bins], frames

    def record_visits(self, bins: Tensor, entered: Tensor) -> None:
        """Count the worlds that have just entered a bin.

        Args:
            bins: Current bin of each world, shape [num_envs].
            entered: Whether the world was elsewhere a step ago, shape [num_envs].
        """
        self._new_visits.index_add_(0, bins, entered.to(self._new_visits.dtype))

    def record_failures(self, bins: Tensor, failed: Tensor) -> None:
        """Count episodes that ended in failure.

        Args:
            bins: Bin in which each episode ended, shape [num_ended].
            failed: Whether it ended in failure rather than by time-out, shape [num_ended].
        """
        self._new_failures.index_add_(0, bins, failed.to(self._new_failures.dtype))

    def update(self) -> None:
        """Fold what was recorded since the last call into the moving averages."""
        if not self.frozen:
            self.failures.lerp_(self._new_failures, self.alpha)
            self.visits.lerp_(self._new_visits, self.alpha)
        self._new_failures.zero_()
        self._new_visits.zero_()

    def metrics(self) -> dict[str, Tensor]:
        """Entropy of the start distribution (1 is uniform), its largest probability and the mean failure rate."""
        p = self.probabilities()
        entropy = -(p * p.clamp(min=1e-12).log()).sum() / math.log(max(2, self.num_bins))
        return {
            "sampling_entropy": entropy,
            "sampling_top1_prob": p.max(),
            "sampling_failure_rate": self.failure_rates.mean(),
        }

    def state_dict(self) -> dict[str, Tensor]:
        """Statistics to store in a checkpoint."""
        return {
            "failures": self.failures.clone(),
            "visits": self.visits.clone(),
            "bin_clip": self.bin_clip.clone(),
            "bin_length": self.bin_length.clone(),
        }

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore the statistics of a checkpoint.

        Raises:
            ValueError: If the checkpoint was made with other clips or bins.
        """
        same = all(torch.equal(state[name], getattr(self, name).to(state[name].device)) for name in self._LAYOUT)
        if not same:
            raise ValueError(
                f"The checkpoint's sampler has {int(state['bin_clip'].max()) + 1} clips in {len(state['failures'])} bins"
                f" but the motions given now make {self.num_clips} clips in {self.num_bins} bins, or bins of other"
                " lengths. Resume with the clips of the run."
            )
        self.failures.copy_(state["failures"])
        self.visits.copy_(state["visits"])

    def _smooth(self, values: Tensor) -> Tensor:
        return (values[self._kernel_bins] * self._kernel).sum(-1)
