"""Many clips as one flat device table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from .clip import MotionClip

MotionStorage = Literal["full", "compact"]


@dataclass(frozen=True)
class MotionState:
    """Reference states, one a row; world frame, quaternions (x, y, z, w). The fields are views of one tensor."""

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
    ):
        self.table = table
        """All frames of all clips, shape [total_frames, 2 * num_joints + 13 * num_bodies]."""
        self.fps = fps
        """Frames a second of every clip."""
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

    @classmethod
    def from_clips(
        cls,
        clips: Sequence[MotionClip],
        joint_names: Sequence[str] | None = None,
        body_names: Sequence[str] | None = None,
        device: str | torch.device = "cpu",
    ) -> MotionLibrary:
        """Lay clips end to end, keeping these joints and bodies in this order (the first clip's when None).

        Raises:
            ValueError: If there is no clip, rates differ, or a clip lacks a joint or body.
        """
        require_one_rate(clips)
        joint_names = tuple(clips[0].joint_names if joint_names is None else joint_names)
        body_names = tuple(clips[0].body_names if body_names is None else body_names)
        width = 2 * len(joint_names) + 13 * len(body_names)
        table = fill_table(clips, width, lambda clip: _pack(clip, joint_names, body_names), device)
        return cls(
            table,
            num_frames=[clip.num_frames for clip in clips],
            fps=clips[0].fps,
            joint_names=joint_names,
            body_names=body_names,
            names=[clip.name for clip in clips],
            digests=[clip.digest for clip in clips],
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
        """Device memory of the table."""
        return self.table.numel() * self.table.element_size()

    def state_at(self, clip_ids: Tensor, frames: Tensor) -> MotionState:
        """States of frames of clips.

        Args:
            clip_ids: Clip of each row, in [0, num_clips), shape [num].
            frames: Frame of each row, clamped into its clip, shape [num].
        """
        frames = torch.minimum(frames.clamp(min=0), self.last_frames.index_select(0, clip_ids))
        rows = self.table.index_select(0, self.starts.index_select(0, clip_ids) + frames)
        num_joints, num_bodies = len(self.joint_names), len(self.body_names)
        sizes = [num_joints, num_joints, 3 * num_bodies, 4 * num_bodies, 3 * num_bodies, 3 * num_bodies]
        joint_pos, joint_vel, *bodies = rows.split(sizes, dim=-1)
        return MotionState(joint_pos, joint_vel, *(field.unflatten(-1, (num_bodies, -1)) for field in bodies))


def estimate_num_bytes(
    duration: float, fps: float, num_joints: int, num_bodies: int, storage: MotionStorage = "full"
) -> int:
    """Memory that a library of this much motion takes [bytes], with ``duration`` in seconds."""
    width = 2 * num_joints + 13 * num_bodies if storage == "full" else 7 + num_joints
    return int(duration * fps) * 4 * width


def require_one_rate(clips: Sequence[MotionClip]) -> None:
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
    clips: Sequence[MotionClip], width: int, pack: Callable[[MotionClip], np.ndarray], device: str | torch.device
) -> Tensor:
    """Clips end to end, shape [total_frames, width]; ``pack`` gives a clip's rows, shape [num_frames, width]."""
    table = torch.empty(sum(clip.num_frames for clip in clips), width, device=device)
    row = 0
    for clip in clips:
        # Written clip by clip: the host never holds a second copy of the whole table.
        table[row : row + clip.num_frames] = torch.from_numpy(pack(clip)).to(device)
        row += clip.num_frames
    return table


def _pack(clip: MotionClip, joint_names: Sequence[str], body_names: Sequence[str]) -> np.ndarray:
    joints, bodies = clip.joint_indices(joint_names), clip.body_indices(body_names)
    body_fields = (clip.body_pos_w, clip.body_quat_w, clip.body_lin_vel_w, clip.body_ang_vel_w)
    parts = [clip.joint_pos[:, joints], clip.joint_vel[:, joints]]
    parts += [values[:, bodies].reshape(clip.num_frames, -1) for values in body_fields]
    return np.concatenate(parts, axis=1)
