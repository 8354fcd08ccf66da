"""A channel of many clips as one device tensor, beside the table of a motion library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .channels import Channel, with_joints
from .clip import MotionClip


@dataclass(frozen=True)
class ChannelTable:
    """All frames of all clips of one channel."""

    declaration: Channel
    """What the channel is."""
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


def channel_tables(
    clips: Sequence[MotionClip], names: Sequence[str] | None, joint_names: Sequence[str], device: str | torch.device
) -> dict[str, ChannelTable]:
    """Tables of channels by name.

    Args:
        clips: Clips in the library's order.
        names: Channels to take; None takes each that some clip carries.
        joint_names: Joints of the library, in its order: channels that run over joints follow it.
        device: Where to put the values.

    Raises:
        ValueError: If no clip carries a channel, or clips declare or shape it differently.
    """
    known = list(dict.fromkeys(name for clip in clips for name in clip.channels))
    for name in names or ():
        if name not in known:
            raise ValueError(
                f"None of the {len(clips)} clips, {[clip.name for clip in clips[:8]]}, carries the channel '{name}'."
                f" Carried: {known}. Add it to the clips, or do not ask for it."
            )
    return {name: _table(clips, name, joint_names, device) for name in (known if names is None else names)}


def _table(
    clips: Sequence[MotionClip], name: str, joint_names: Sequence[str], device: str | torch.device
) -> ChannelTable:
    carriers = [clip for clip in clips if name in clip.channels]
    declaration, shape = carriers[0].channel_declarations[name], _values(carriers[0], name, joint_names).shape[1:]
    total = sum(clip.num_frames for clip in clips)
    values, row = torch.zeros(total, *shape, device=device), 0
    for clip in clips:
        if name in clip.channels:
            part = _values(clip, name, joint_names)
            _require_same(clip, carriers[0], name, part.shape[1:], shape)
            values[row : row + clip.num_frames] = torch.from_numpy(np.ascontiguousarray(part)).to(device)
        row += clip.num_frames
    stored = torch.tensor([name in clip.channels for clip in clips], device=device)
    return ChannelTable(declaration, values, stored, tuple(c.name for c in clips if name not in c.channels))


def _values(clip: MotionClip, name: str, joint_names: Sequence[str]) -> np.ndarray:
    joints = clip.joint_indices(joint_names)
    return with_joints({name: clip.channels[name]}, clip.channel_declarations, joints)[name]


def _require_same(clip: MotionClip, first: MotionClip, name: str, shape: tuple, expected: tuple) -> None:
    found, wanted = clip.channel_declarations[name], first.channel_declarations[name]
    if shape != expected or found != wanted:
        raise ValueError(
            f"Clips of a library have a channel alike, but '{name}' has {list(shape)} numbers per frame and is {found}"
            f" in {clip.name}, and {list(expected)} and {wanted} in {first.name}."
        )
