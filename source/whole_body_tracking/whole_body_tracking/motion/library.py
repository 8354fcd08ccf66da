"""Many clips as one flat device table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from whole_body_tracking.names import require_known

from .channel_table import ChannelTable, ChannelTables
from .clip import MotionClip
from .clip_header import ClipHeader

MotionStorage = Literal["full", "compact"]


@dataclass(frozen=True)
class MotionState:
    """Reference states, one per row; world frame, quaternions (x, y, z, w). The fields are views of one tensor."""

    joint_pos: Tensor
    """Joint positions [rad], shape [num, num_joints]."""
    joint_vel: Tensor
    """Joint velocities [rad/s], shape [num, num_joints]."""
    body_pos_w: Tensor
    """Body positions [m], shape [num, num_bodies, 3]."""
    body_quat_w: Tensor
    """Body orientations, shape [num, num_bodies, 4]."""
    body_lin_vel_w: Tensor
    """Linear velocities of the body frames [m/s], shape [num, num_bodies, 3]."""
    body_ang_vel_w: Tensor
    """Angular velocities [rad/s], shape [num, num_bodies, 3]."""


class MotionLibrary:
    """Clips of one robot and one rate, end to end in a single table, so that a look-up is one gather.

    Use :meth:`from_clips`. A look-up never leaves its clip: frames before the first or after the last one are clamped.
    """

    def __init__(
        self,
        table: Tensor,
        num_frames: Sequence[int],
        fps: float,
        joint_names: Sequence[str],
        body_names: Sequence[str],
        names: Sequence[str],
        digests: Sequence[str],
        channels: Mapping[str, ChannelTable] | None = None,
    ):
        self.table = table
        """All frames of all clips, shape [total_frames, 2 * num_joints + 13 * num_bodies]."""
        self.fps = fps
        """Frames per second of every clip."""
        self.joint_names, self.body_names = tuple(joint_names), tuple(body_names)
        self.names = tuple(names)
        """Name of each clip."""
        self.digests = tuple(digests)
        """SHA-256 of each clip."""
        self.num_frames = torch.tensor(num_frames, dtype=torch.long, device=table.device)
        """Frames of each clip, shape [num_clips]."""
        self.starts = self.num_frames.cumsum(0) - self.num_frames
        """Row of each clip's first frame, shape [num_clips]."""
        self.last_frames = self.num_frames - 1
        """Index of each clip's last frame, shape [num_clips]."""
        self.channels: dict[str, ChannelTable] = dict(channels or {})
        """Channels that can be looked up, by name."""

    @classmethod
    def from_clips(
        cls,
        clips: Iterable[MotionClip],
        joint_names: Sequence[str] | None = None,
        body_names: Sequence[str] | None = None,
        device: str | torch.device = "cpu",
        channels: Sequence[str] | None = None,
        headers: Sequence[ClipHeader] | None = None,
    ) -> MotionLibrary:
        """Lay clips end to end, keeping these joints and bodies in this order (the first clip's when None).

        Args:
            clips: Clips of one rate.
            joint_names: Joints to keep.
            body_names: Bodies to keep.
            device: Where to put the table.
            channels: Channels to keep; None keeps each that some clip carries.
            headers: Headers of the clips. With them ``clips`` may be a generator: it is gone through once, and only one
                clip has to be in memory at a time.

        Raises:
            ValueError: If there is no clip, rates differ, a clip lacks a joint or body or is not as its header says, or
                no clip carries a channel.
        """
        if headers is None:
            headers = clips = list(clips)
        require_one_rate(headers)
        joint_names = tuple(headers[0].joint_names if joint_names is None else joint_names)
        body_names = tuple(headers[0].body_names if body_names is None else body_names)
        width = 2 * len(joint_names) + 13 * len(body_names)
        tables = ChannelTables(headers, channels, joint_names, device)
        pack = partial(_pack, joint_names=joint_names, body_names=body_names)
        table, digests = fill_table(clips, headers, width, pack, device, tables.add)
        return cls(
            table,
            num_frames=[header.num_frames for header in headers],
            fps=headers[0].fps,
            joint_names=joint_names,
            body_names=body_names,
            names=[header.name for header in headers],
            digests=digests,
            channels=tables.finished(),
        )

    @property
    def num_clips(self) -> int:
        return len(self.names)

    @property
    def durations(self) -> Tensor:
        """Time from the first to the last frame of each clip [s], shape [num_clips]."""
        return self.last_frames / self.fps

    @property
    def num_bytes(self) -> int:
        """Device memory of the table and the channels."""
        channels = sum(table.num_bytes for table in self.channels.values())
        return self.table.numel() * self.table.element_size() + channels

    def state_at(self, clip_ids: Tensor, frames: Tensor) -> MotionState:
        """States of frames of clips.

        Args:
            clip_ids: Clip of each row, in [0, num_clips), shape [num].
            frames: Frame of each row, clamped into its clip, shape [num].
        """
        return self._split(self.table.index_select(0, self._rows(clip_ids, frames)))

    def _split(self, rows: Tensor) -> MotionState:
        """Name the columns of states, shape [num, 2 * num_joints + 13 * num_bodies]."""
        num_joints, num_bodies = len(self.joint_names), len(self.body_names)
        sizes = [num_joints, num_joints, 3 * num_bodies, 4 * num_bodies, 3 * num_bodies, 3 * num_bodies]
        joint_pos, joint_vel, *bodies = rows.split(sizes, dim=-1)
        return MotionState(joint_pos, joint_vel, *(field.unflatten(-1, (num_bodies, -1)) for field in bodies))

    def channel_at(self, name: str, clip_ids: Tensor, frames: Tensor) -> Tensor:
        """Values of a channel that every clip carries, shape [num, ...]; arguments as of :meth:`state_at`.

        Raises:
            ValueError: If the library has no such channel, or a clip does not carry it; the message names the clips.
        """
        table = self.channel_table(name)
        if table.missing:
            raise ValueError(
                f"{len(table.missing)} of {self.num_clips} clips lack the channel '{name}': {list(table.missing[:8])}."
                " Add it to them, leave them out, or use channel_where_stored."
            )
        return table.values.index_select(0, self._rows(clip_ids, frames))

    def channel_where_stored(self, name: str, clip_ids: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Values of a channel, zeros in clips without it, shape [num, ...], and which rows have it, shape [num].

        Raises:
            ValueError: If the library has no such channel.
        """
        table = self.channel_table(name)
        return table.values.index_select(0, self._rows(clip_ids, frames)), table.stored.index_select(0, clip_ids)

    def channel_table(self, name: str) -> ChannelTable:
        """All frames of a channel.

        Raises:
            ValueError: If the library has no such channel; the message lists those that it has.
        """
        require_known(name, self.channels, "channel of the motion library (clips that carry it, and `channels`)")
        return self.channels[name]

    def _rows(self, clip_ids: Tensor, frames: Tensor) -> Tensor:
        """Rows of frames in the tables, each frame clamped into its clip."""
        frames = torch.minimum(frames.clamp(min=0), self.last_frames.index_select(0, clip_ids))
        return self.starts.index_select(0, clip_ids) + frames


def estimate_num_bytes(
    duration: float, fps: float, num_joints: int, num_bodies: int, storage: MotionStorage = "full"
) -> int:
    """Memory that a library of this much motion takes [bytes], with ``duration`` in seconds."""
    width = 2 * num_joints + 13 * num_bodies if storage == "full" else 7 + num_joints
    return int(duration * fps) * 4 * width


def require_one_rate(clips: Sequence[MotionClip | ClipHeader]) -> None:
    """Check that there are clips and that they have one rate.

    Raises:
        ValueError: If not; the message lists the rates.
    """
    if not clips:
        raise ValueError("A motion library needs at least one clip.")
    rates = {clip.fps for clip in clips}
    if max(rates) - min(rates) > 1e-3 * max(rates):
        listed = ", ".join(f"{clip.name} {clip.fps:g}" for clip in clips[:8])
        raise ValueError(f"All clips of a library have one rate, found [fps]: {listed}. Convert them to the same.")


def fill_table(
    clips: Iterable[MotionClip],
    headers: Sequence[MotionClip | ClipHeader],
    width: int,
    pack: Callable[[MotionClip], np.ndarray],
    device: str | torch.device,
    also: Callable[[MotionClip, int], None],
) -> tuple[Tensor, list[str]]:
    """Clips end to end, written one by one: the host never holds a second copy of the table, nor two clips.

    Args:
        clips: The clips, gone through once.
        headers: Header of each.
        width: Numbers per frame.
        pack: Gives a clip's rows, shape [num_frames, width].
        device: Where to put the table.
        also: Called with each clip and its first row.

    Returns:
        The table, shape [total_frames, width], and the digest of each clip.

    Raises:
        ValueError: If a clip is not as its header says.
    """
    table = torch.empty(sum(header.num_frames for header in headers), width, device=device)
    row, digests = 0, []
    for header, clip in zip(headers, clips, strict=True):
        if (clip.name, clip.num_frames) != (header.name, header.num_frames):
            raise ValueError(
                f"{clip.name} has {clip.num_frames} frames, but {header.num_frames} of {header.name} were announced."
                " Leave the clip files alone while they are read."
            )
        table[row : row + clip.num_frames] = torch.from_numpy(pack(clip)).to(device)
        also(clip, row)
        row += clip.num_frames
        digests.append(clip.digest)
    return table, digests


def _pack(clip: MotionClip, joint_names: Sequence[str], body_names: Sequence[str]) -> np.ndarray:
    joints, bodies = clip.joint_indices(joint_names), clip.body_indices(body_names)
    body_fields = (clip.body_pos_w, clip.body_quat_w, clip.body_lin_vel_w, clip.body_ang_vel_w)
    parts = [clip.joint_pos[:, joints], clip.joint_vel[:, joints]]
    parts += [values[:, bodies].reshape(clip.num_frames, -1) for values in body_fields]
    return np.concatenate(parts, axis=1)
