"""Clip and frame of each env, and what follows a clip's last frame. No simulator."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

ClipEnd = Literal["truncate", "resample", "hold", "loop"]


class ClipClock:
    """Clip and frame of every env; a frame never leaves its clip, whatever the end mode.

    An episode that starts in the state of frame f aims at f + 1, so a clip of T frames has T - 1 steps. After the last
    frame ``truncate`` and ``hold`` stay there, ``resample`` asks for a new start, and ``loop`` goes on with frame 1:
    frame 0 lies where the last frame was.
    """

    def __init__(self, num_frames: Tensor, num_envs: int, clip_end: ClipEnd):
        """Put every env at frame 1 of clip 0.

        Args:
            num_frames: Frames of each clip, at least 2, shape [num_clips], on the device to work on.
            num_envs: Number of envs.
            clip_end: What follows a clip's last frame.
        """
        self.clip_end: ClipEnd = clip_end
        self.last_frames = num_frames - 1
        """Index of the last frame of each clip, shape [num_clips]."""
        self.clip_ids = torch.zeros(num_envs, dtype=torch.long, device=num_frames.device)
        """Clip that each env tracks, shape [num_envs]."""
        self.frames = torch.ones_like(self.clip_ids)
        """Frame that each env's next physics step should reach, shape [num_envs]."""
        self.is_held = torch.zeros_like(self.clip_ids, dtype=torch.bool)
        """Whether each env's frame is its clip's last one for another time, shape [num_envs]: it stands still."""

    @property
    def last(self) -> Tensor:
        """Last frame of each env's clip, shape [num_envs]."""
        return self.last_frames.index_select(0, self.clip_ids)

    def start(self, env_ids: Tensor, clip_ids: Tensor, frames: Tensor) -> None:
        """Start envs in the state of a frame, at most the clip's last but one; the next frame is their target."""
        self.clip_ids[env_ids] = clip_ids
        self.frames[env_ids] = frames + 1
        self.is_held[env_ids] = False

    def advance(self, moving: Tensor) -> Tensor:
        """Advance by one frame and apply the end mode.

        Args:
            moving: Whether each env advances, shape [num_envs].

        Returns:
            Envs that went past their last frame, shape [num_envs]. In mode ``resample`` they have to be started
            again by the caller; in mode ``loop`` they are at frame 1.
        """
        self.frames += moving.long()
        last = self.last
        passed = self.frames > last
        if self.clip_end == "loop":
            self.frames -= passed.long() * last
        else:
            torch.minimum(self.frames, last, out=self.frames)
            self.is_held |= passed
        return passed

    def ahead(self, num_steps: Tensor) -> tuple[Tensor, Tensor]:
        """Frames that envs will aim at later.

        Args:
            num_steps: Steps into the future, shape [num_steps]; each shorter than the shortest clip.

        Returns:
            Frames, shape [num_envs, num_steps], held at the last one unless the mode is ``loop``; and whether each lies
            past the clip's end, in mode ``loop`` in the next round, shape [num_envs, num_steps].
        """
        frames, last = self.frames[:, None] + num_steps, self.last[:, None]
        passed = frames > last
        if self.clip_end != "loop":
            return torch.minimum(frames, last), passed
        return frames - passed.long() * last, passed
