"""Windows of clips as a stream: a few clips are in memory at a time, however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from whole_body_tracking.motion.sources.motion_entries import MotionEntry

from ..state import StateLayout, clip_states

OPEN_CLIPS = 8
"""Clips from which windows are drawn in turn, per worker."""


@dataclass
class _OpenClip:
    states: Tensor
    starts: list[int]
    """First frames of the windows that are left, in random order."""


class MotionWindows(IterableDataset):
    """Each epoch cuts every clip into windows at a random phase and yields them in a random order.

    The order depends on seed, epoch and number of workers alone. Windows of one clip are spread over the time in which
    it is open, beside :data:`OPEN_CLIPS` - 1 others; so the shuffle is as wide as the memory allows, and no wider.
    """

    def __init__(self, entries: Sequence[MotionEntry], layout: StateLayout, length: int, seed: int):
        """Prepare the stream; nothing is read yet.

        Args:
            entries: The clips.
            layout: Of the states.
            length: States of a window. A clip with fewer gives none.
            seed: Of the shuffle.
        """
        super().__init__()
        self.layout, self.length, self.seed = layout, length, seed
        self.choose(0, entries)

    def choose(self, epoch: int, entries: Sequence[MotionEntry]) -> None:
        """Set the epoch and its clips."""
        self.epoch, self.entries = epoch, list(entries)

    def __iter__(self) -> Iterator[Tensor]:
        """Windows, each of shape [length, dim]."""
        info = get_worker_info()
        worker, workers = (0, 1) if info is None else (info.id, info.num_workers)
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.entries))
        random = np.random.default_rng([self.seed, self.epoch, worker])
        waiting = [self.entries[index] for index in order[worker::workers]][::-1]
        open_clips: list[_OpenClip] = []
        while waiting or open_clips:
            while waiting and len(open_clips) < OPEN_CLIPS:
                clip = self._open(waiting.pop(), random)
                open_clips += [clip] if clip.starts else []
            if not open_clips:
                return
            left = np.array([len(clip.starts) for clip in open_clips])
            chosen = int(random.choice(len(open_clips), p=left / left.sum()))
            clip = open_clips[chosen]
            start = clip.starts.pop()
            yield clip.states[start : start + self.length].clone()  # a view would keep and send the whole clip
            if not clip.starts:
                open_clips.pop(chosen)

    def _open(self, entry: MotionEntry, random: np.random.Generator) -> _OpenClip:
        states = clip_states(entry.load(), self.layout)
        spare = len(states) - self.length
        if spare < 0:
            return _OpenClip(states, [])
        starts = np.arange(random.integers(min(self.length, spare + 1)), spare + 1, self.length)
        random.shuffle(starts)
        return _OpenClip(states, starts.tolist())


def window_loader(windows: MotionWindows, batch_size: int, num_workers: int = 0) -> DataLoader:
    """Batches of windows, shape [batch_size, length, dim]; workers read two batches ahead each."""
    return DataLoader(
        windows,
        batch_size=batch_size,
        num_workers=num_workers,
        prefetch_factor=2 if num_workers else None,
        worker_init_fn=_one_thread if num_workers else None,
    )


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)
