"""Clips cut into bins of equal duration. No simulator."""

from __future__ import annotations

import torch
from torch import Tensor


class ClipBins:
    """Bins of all clips, numbered through; a bin never spans two clips. A clip's last frame starts no episode."""

    def __init__(self, num_frames: Tensor, frames_per_bin: int, kernel_size: int = 1, kernel_lambda: float = 1.0):
        """Cut the clips.

        Args:
            num_frames: Frames of each clip, shape [num_clips], on the device to work on.
            frames_per_bin: Length of a bin in frames.
            kernel_size: Number of following bins (this one included) that :meth:`smooth` sums.
            kernel_lambda: Decay of the kernel from one bin to the next.

        Raises:
            ValueError: If a clip has no step to track.
        """
        if int(num_frames.min()) < 2:
            raise ValueError(f"A clip needs at least 2 frames to start an episode, found {int(num_frames.min())}.")
        self._frames_per_bin = frames_per_bin
        device = num_frames.device
        starts = num_frames - 1  # the last frame has no successor to track
        self.bins_per_clip = (starts + frames_per_bin - 1) // frames_per_bin
        """Number of bins of each clip, shape [num_clips]."""
        self._first_bin = torch.cumsum(self.bins_per_clip, 0) - self.bins_per_clip
        self._last_bin_in_clip = self.bins_per_clip - 1
        self.num_clips, self.num_bins = len(num_frames), int(self.bins_per_clip.sum())
        self.bin_clip = torch.repeat_interleave(torch.arange(self.num_clips, device=device), self.bins_per_clip)
        """Clip of each bin, shape [num_bins]."""
        bin_in_clip = torch.arange(self.num_bins, device=device) - self._first_bin[self.bin_clip]
        self.bin_start = bin_in_clip * frames_per_bin
        """First frame of each bin, shape [num_bins]."""
        self.bin_length = (starts[self.bin_clip] - self.bin_start).clamp(max=frames_per_bin)
        """Frames of each bin, shape [num_bins]."""
        last_bin = (self._first_bin + self._last_bin_in_clip)[self.bin_clip]
        self._is_last_bin = (bin_in_clip == self._last_bin_in_clip[self.bin_clip]).long()
        ahead = torch.arange(self.num_bins, device=device)[:, None] + torch.arange(kernel_size, device=device)
        self._kernel_bins = torch.minimum(ahead, last_bin[:, None])
        self._kernel = kernel_lambda ** torch.arange(kernel_size, dtype=torch.float32, device=device)

    def bin_of(self, clip_ids: Tensor, frames: Tensor) -> Tensor:
        """Bin of each (clip, frame), shape [num_queries]."""
        last = self._last_bin_in_clip.index_select(0, clip_ids)
        return self._first_bin.index_select(0, clip_ids) + torch.minimum(frames // self._frames_per_bin, last)

    def frames_left(self, clip_ids: Tensor, frames: Tensor) -> Tensor:
        """Frames of each frame's bin that follow it, shape [num_queries]; a clip's last frame is in its last bin."""
        bins = self.bin_of(clip_ids, frames)
        stop = self.bin_start + self.bin_length + self._is_last_bin
        return (stop[bins] - 1 - frames).clamp(min=0)

    def smooth(self, values: Tensor) -> Tensor:
        """Sum of each bin's value and those after it in its clip, lambda^k apart; the last one is repeated."""
        if self._kernel_bins.shape[1] == 1:
            return values
        return (values[self._kernel_bins] * self._kernel).sum(-1)
