"""Sampler of episode starts: the probability of each bin of each clip. No simulator."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from whole_body_tracking.names import require_known

from .bins import ClipBins
from .curriculum import ClipCurriculum
from .earnings import BinEarnings
from .moving_totals import MovingTotals
from .shares import capped, normalized, sum_by_clip, with_clip_shares
from .statistics import ClipStatistics

StartStrategy = Literal["adaptive", "return", "uniform", "first", "beyondmimic", "ancestor"]
STRATEGIES = ("adaptive", "return", "uniform", "first", "beyondmimic")
WITH_FLOOR = ("adaptive", "return")
"""Strategies that follow what was seen and mix in a uniform share."""
ALIASES = {"ancestor": "beyondmimic"}
"""Names of strategies up to version 0.1."""
FAILURES, VISITS = range(2)


class StartSampler(ClipBins):
    """Draws a clip and a start frame for each new episode.

    ``adaptive`` prefers bins in which episodes fail: it keeps moving averages of failures and visits a bin, smooths
    their ratio over the following bins of the same clip and mixes in a uniform share::

        rate_b = failures_b / visits_b,    q_b ~ sum_k lambda^k rate_{b+k},    p_b = (1 - u) q_b + u / num_bins

    The share ``u`` is a true floor: it does not depend on the number of envs. ``return`` takes what the policy earns
    instead, rate_b = 1 - earned_b / possible_b: see :class:`.BinEarnings`. It prefers bins that are tracked badly as
    well as those in which episodes fail. ``beyondmimic`` is that of BeyondMimic on failure counts, p_b ~ sum_k lambda^k
    (count_{b+k} + u / num_bins), kept for comparison. ``uniform`` draws bins in proportion to their frames, ``first``
    starts every episode at frame 0 of a clip drawn uniformly.

    With shares P_c given for the clips, the strategy chooses within a clip only: p_b = P_c q_b / sum_{b' in c} q_b',
    and the floor is u P_c / bins_c. Without them ``max_clip_probability`` bounds what one clip gets.
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
        clip_shares: Tensor | None = None,
        curriculum: ClipCurriculum | None = None,
        max_clip_probability: float = 1.0,
    ):
        """Cut the clips into bins.

        Args:
            num_frames: Frames of each clip, shape [num_clips], on the device to sample on.
            frames_per_bin: Length of a bin in frames.
            strategy: One of :data:`STRATEGIES`; ``ancestor`` is the old name of ``beyondmimic``.
            uniform_ratio: Share u of starts drawn uniformly over bins, in [0, 1].
            alpha: Weight of the newest step in the moving averages, in (0, 1].
            kernel_size: Number of following bins (this one included) that a bin answers for.
            kernel_lambda: Decay of the kernel from one bin to the next.
            clip_shares: Weight of each clip, shape [num_clips]; None leaves the choice to the strategy.
            curriculum: What opens clips over time; it takes the place of ``clip_shares``.
            max_clip_probability: Largest probability of one clip; the floor of a long clip may exceed it.

        Raises:
            ValueError: If a clip has no step to track or a number is out of range.
        """
        if not 0.0 <= uniform_ratio <= 1.0 or not 0.0 < alpha <= 1.0 or kernel_size < 1 or frames_per_bin < 1:
            raise ValueError(
                "Expected 0 <= uniform_ratio <= 1, 0 < alpha <= 1, kernel_size >= 1 and frames_per_bin >= 1, found"
                f" {uniform_ratio}, {alpha}, {kernel_size} and {frames_per_bin}."
            )
        strategy = ALIASES.get(strategy, strategy)
        require_known(strategy, STRATEGIES, "value of commands.motion.start_sampling")
        super().__init__(num_frames, frames_per_bin, kernel_size, kernel_lambda)
        self._check_cap(max_clip_probability, curriculum)
        self.strategy, self.uniform_ratio, self.alpha = strategy, uniform_ratio, alpha
        self.frozen = False
        """Whether statistics stay as they are, as in play and evaluation."""
        self.curriculum = curriculum
        self._cap = max_clip_probability
        self._clip_shares = None if clip_shares is None else self._with_cap(normalized(clip_shares.float()))
        device = num_frames.device
        self._bins = MovingTotals(2, self.num_bins, alpha=alpha, device=device)
        self.earnings = BinEarnings(self.num_bins, alpha, device) if strategy == "return" else None
        """What is earned in each bin; None unless the strategy asks for it."""
        self.clips = ClipStatistics(self.num_clips, alpha, device)
        """How episodes of each clip end."""

    # -- what was seen -----------------------------------------------------------------------------------------------

    @property
    def failures(self) -> Tensor:
        """Moving average of failures per step in each bin, shape [num_bins]."""
        return self._bins.values[FAILURES]

    @property
    def visits(self) -> Tensor:
        """Moving average of visits per step to each bin, shape [num_bins]."""
        return self._bins.values[VISITS]

    @property
    def failure_rates(self) -> Tensor:
        """Share of visits to each bin that ended in failure there, shape [num_bins], zero where never visited."""
        return torch.where(self.visits > 0, self.failures / self.visits.clamp(min=1e-12), 0.0).clamp(max=1.0)

    def record_visits(self, bins: Tensor, entered: Tensor) -> None:
        """Count the envs that have just entered a bin.

        Args:
            bins: Current bin of each env, shape [num_envs].
            entered: Whether the env was elsewhere a step ago, shape [num_envs].
        """
        self._bins.new[VISITS].index_add_(0, bins, entered.to(self.visits.dtype))

    def record_failures(self, bins: Tensor, failed: Tensor) -> None:
        """Count episodes that ended in failure.

        Args:
            bins: Bin in which each episode ended, shape [num_ended].
            failed: Whether it ended in failure rather than by time-out, shape [num_ended].
        """
        self._bins.new[FAILURES].index_add_(0, bins, failed.to(self.failures.dtype))

    def update(self) -> None:
        """Fold what was recorded since the last call into the moving averages; call it once per step."""
        for totals in self._totals:
            totals.fold(self.frozen)
        if self.curriculum is not None and not self.frozen:
            self.curriculum.update(self.clips.failure_rates, self.clips.has_episodes)

    def share_across_ranks(self) -> None:
        """Announce that :meth:`merge` will be called from time to time."""
        for totals in self._totals:
            totals.is_shared = True

    def merge(self, all_reduce: Callable[[Tensor], object]) -> None:
        """Give every rank what one rank that saw all episodes would know; see :meth:`.MovingTotals.merge`."""
        for totals in self._totals:
            totals.merge(all_reduce)
        if self.curriculum is not None:
            sums = torch.stack((self.curriculum.level, torch.ones_like(self.curriculum.level)))
            all_reduce(sums)
            self.curriculum.level.copy_(sums[0] / sums[1])

    # -- what is drawn -----------------------------------------------------------------------------------------------

    def probabilities(self) -> Tensor:
        """Probability of starting in each bin, shape [num_bins], sums to 1."""
        weights = self._weights()
        shares = self._clip_shares if self.curriculum is None else self.curriculum.shares
        if shares is None:
            return self._over_all_bins(weights)
        p = with_clip_shares(weights, self.bin_clip, shares)
        if self.strategy not in WITH_FLOOR:
            return p
        return (1.0 - self.uniform_ratio) * p + self.uniform_ratio * (shares / self.bins_per_clip)[self.bin_clip]

    @property
    def clip_probabilities(self) -> Tensor:
        """Probability of starting in each clip, shape [num_clips]."""
        return sum_by_clip(self.probabilities(), self.bin_clip, self.num_clips)

    def sample(self, num: int) -> tuple[Tensor, Tensor]:
        """Draw clip ids and start frames, each of shape [num]; a start frame always has a successor."""
        bins = torch.multinomial(self.probabilities(), num, replacement=True)
        offset = torch.rand(num, device=bins.device) * self.bin_length[bins]
        if self.strategy == "first":
            offset = torch.zeros_like(offset)
        frames = self.bin_start[bins] + torch.minimum(offset.long(), self.bin_length[bins] - 1)
        return self.bin_clip[bins], frames

    def metrics(self) -> dict[str, Tensor]:
        """Entropy of the start distribution (1 is uniform), its largest probability and the mean failure rate."""
        p = self.probabilities()
        entropy = -(p * p.clamp(min=1e-12).log()).sum() / math.log(max(2, self.num_bins))
        found = {
            "sampling_entropy": entropy,
            "sampling_top1_prob": p.max(),
            "sampling_failure_rate": self.failure_rates.mean(),
        }
        if self.earnings is not None:
            found["sampling_earned_share"] = self.earnings.mean_share
        return found if self.curriculum is None else found | {"curriculum_level": self.curriculum.level.clone()}

    # -- checkpoints -------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Tensor]:
        """Statistics to store in a checkpoint."""
        state = {name: getattr(self, name).clone() for name in ("failures", "visits", *self._LAYOUT)}
        state["clip_totals"] = self.clips.values.clone()
        if self.earnings is not None:
            state["earnings"] = self.earnings.totals.values.clone()
        return state if self.curriculum is None else state | {"curriculum_level": self.curriculum.level.clone()}

    def fits(self, state: dict[str, Tensor]) -> bool:
        """Whether a checkpoint's statistics are about clips and bins of the same lengths."""
        return all(torch.equal(state[name], getattr(self, name).to(state[name].device)) for name in self._LAYOUT)

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore the statistics of a checkpoint.

        Raises:
            ValueError: If the checkpoint was made with other clips or bins.
        """
        if not self.fits(state):
            raise ValueError(
                f"The checkpoint's sampler has {int(state['bin_clip'].max()) + 1} clips in"
                f" {len(state['failures'])} bins but the motions given now make {self.num_clips} clips in"
                f" {self.num_bins} bins, or bins of other lengths. Resume with the clips of the run, or set"
                " env.commands.motion.transfer=true to keep the policy and start the statistics anew."
            )
        self.failures.copy_(state["failures"])
        self.visits.copy_(state["visits"])
        if "clip_totals" in state:  # not in checkpoints from before there were clip statistics
            self.clips.values.copy_(state["clip_totals"])
        if self.earnings is not None and "earnings" in state:  # not in checkpoints of another strategy
            self.earnings.totals.values.copy_(state["earnings"])
        if self.curriculum is not None and "curriculum_level" in state:
            self.curriculum.level.copy_(state["curriculum_level"])

    def forget(self) -> None:
        """Start the statistics and the curriculum anew, for other clips of the same lengths."""
        for totals in self._totals:
            totals.clear()
        if self.curriculum is not None:
            self.curriculum.level.zero_()

    # -- internals ---------------------------------------------------------------------------------------------------

    @property
    def _totals(self) -> list[MovingTotals]:
        return [self._bins, self.clips, *([] if self.earnings is None else [self.earnings.totals])]

    def _weights(self) -> Tensor:
        if self.strategy == "first":
            return (self.bin_start == 0).float()
        if self.strategy == "uniform":
            return self.bin_length.float()
        if self.strategy == "beyondmimic":
            return self.smooth(self.failures + self.uniform_ratio / self.num_bins)
        if self.earnings is not None:
            return self.smooth(1.0 - self.earnings.shares)
        return self.smooth(self.failure_rates)

    def _over_all_bins(self, weights: Tensor) -> Tensor:
        p, floor = normalized(weights), self.uniform_ratio if self.strategy in WITH_FLOOR else 0.0
        if self._cap < 1.0:
            shares = self._with_cap(sum_by_clip(p, self.bin_clip, self.num_clips), floor)
            p = with_clip_shares(weights, self.bin_clip, shares)
        return (1.0 - floor) * p + floor / self.num_bins if floor else p

    def _with_cap(self, shares: Tensor, floor: float = 0.0) -> Tensor:
        """Clip shares that stay below the cap once a uniform share over bins is mixed in."""
        if self._cap >= 1.0:
            return shares
        left = self._cap - floor * self.bins_per_clip / self.num_bins
        return capped(shares, (left / max(1.0 - floor, 1e-6)).clamp(min=0.0))

    def _check_cap(self, cap: float, curriculum: ClipCurriculum | None) -> None:
        if not 0.0 < cap <= 1.0 or cap * self.num_clips < 1.0:
            raise ValueError(
                f"max_clip_probability is {cap:g}, expected between 1 / {self.num_clips} clips ="
                f" {1.0 / self.num_clips:.3g} and 1."
            )
        if cap < 1.0 and curriculum is not None:
            raise ValueError("A curriculum starts with one clip: leave max_clip_probability at 1.")
