"""States of the clips that a policy is to look like."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from whole_body_tracking.motion.sources.motion_entries import MotionEntry
from whole_body_tracking.priors import StateLayout, clip_states
from whole_body_tracking.priors.normalizer import LIVE_STD, Normalizer


class ExpertWindows:
    """All windows of some clips, none of which crosses from one clip into the next."""

    def __init__(self, entries: Sequence[MotionEntry], layout: StateLayout, num_frames: int, device: str):
        """Read the clips.

        Args:
            entries: The clips.
            layout: Of their states.
            num_frames: States of a window.
            device: Where to put the states.
        """
        clips = [entry.load() for entry in entries]
        states = [clip_states(clip, layout) for clip in clips]
        self.digests = {clip.name: clip.digest for clip in clips}
        """Name and digest of every clip."""
        self.normalizer = Normalizer(layout, LIVE_STD)
        self.normalizer.fit(states)
        self.normalizer.to(device)
        starts, first = [], 0
        for clip in states:
            starts.append(first + torch.arange(len(clip) - num_frames + 1))
            first += len(clip)
        self.states = torch.cat(states).to(device)
        """Shape [num_states, dim]."""
        self._starts = torch.cat(starts).to(device)
        self._frames = torch.arange(num_frames, device=device)

    def __len__(self) -> int:
        """Number of windows."""
        return len(self._starts)

    def sample(self, count: int) -> Tensor:
        """Windows drawn at random, shape [count, num_frames, dim]."""
        chosen = torch.randint(len(self), (count,), device=self.states.device)
        return self.states[self._starts[chosen][:, None] + self._frames]
