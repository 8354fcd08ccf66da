"""A channel of many clips as one device tensor, beside the table of a motion library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .channels import Channel, with_joints
from .clip import MotionClip
from .clip_header import ClipHeader


@dataclass(frozen=True)
class ChannelTable:
    """All frames of all clips of one channel."""

    declaration: Channel
    """Declaration of the channel."""
    values: Tensor
    """Values in the order of the library's frames, shape [total_frames, ...]; zeros in clips without the channel."""
    stored: Tensor
    """Whether each clip carries the channel, shape [num_clips]."""
    missing: tuple[str, ...]
    """Names of the clips that do not."""

    @property
    def num_bytes(self) -> int:
        """Device memory of the values."""
        return self.values.numel() * self.values.element_size()


class ChannelTables:
    """Tables of channels of many clips, filled clip by clip in the library's order."""

    def __init__(
        self,
        headers: Sequence[MotionClip | ClipHeader],
        names: Sequence[str] | None,
        joint_names: Sequence[str],
        device: str | torch.device,
    ):
        """Start with empty tables.

        Args:
            headers: Header of each clip.
            names: Channels to take; None takes each that some clip carries.
            joint_names: Joints of the library, in its order: channels that run over joints follow it.
            device: Where to put the values.

        Raises:
            ValueError: If none of the clips carries a channel.
        """
        known = list(dict.fromkeys(name for header in headers for name in header.channel_declarations))
        for name in names or ():
            if name not in known:
                raise ValueError(
                    f"None of the {len(headers)} clips, {[header.name for header in headers[:8]]}, carries the channel"
                    f" '{name}'. Carried: {known}. Add it to the clips, or do not ask for it."
                )
        self._joint_names, self._device = tuple(joint_names), device
        self._num_frames = sum(header.num_frames for header in headers)
        self._first: dict[str, tuple[str, Channel]] = {}
        self._values: dict[str, Tensor] = {}
        self._stored: dict[str, dict[str, bool]] = {name: {} for name in (known if names is None else names)}

    def add(self, clip: MotionClip, row: int) -> None:
        """Take the channels of the next clip, whose first frame is ``row``.

        Raises:
            ValueError: If it declares or shapes one differently than a clip before.
        """
        for name, stored in self._stored.items():
            stored[clip.name] = name in clip.channels
            if name not in clip.channels:
                continue
            part = np.ascontiguousarray(_values(clip, name, self._joint_names))
            if name not in self._values:
                self._first[name] = (clip.name, clip.channel_declarations[name])
                self._values[name] = torch.zeros(self._num_frames, *part.shape[1:], device=self._device)
            self._require_same(clip, name, part.shape[1:])
            self._values[name][row : row + clip.num_frames] = torch.from_numpy(part).to(self._device)

    def finished(self) -> dict[str, ChannelTable]:
        """Tables by name, once every clip was added."""
        return {
            name: ChannelTable(
                self._first[name][1],
                self._values[name],
                torch.tensor(list(stored.values()), device=self._device),
                tuple(clip_name for clip_name, has_it in stored.items() if not has_it),
            )
            for name, stored in self._stored.items()
        }

    def _require_same(self, clip: MotionClip, name: str, shape: tuple) -> None:
        found, (first, wanted) = clip.channel_declarations[name], self._first[name]
        expected = tuple(self._values[name].shape[1:])
        if shape != expected or found != wanted:
            raise ValueError(
                f"Clips of a library have a channel alike, but '{name}' has {list(shape)} numbers per frame and is"
                f" {found} in {clip.name}, and {list(expected)} and {wanted} in {first}."
            )


def _values(clip: MotionClip, name: str, joint_names: Sequence[str]) -> np.ndarray:
    joints = clip.joint_indices(joint_names)
    return with_joints({name: clip.channels[name]}, clip.channel_declarations, joints)[name]
