"""Does a score prior tell motion from what is none? Windows of held-out clips against the same ones spoilt.

A prior does not tell a robot that stands from one that moves: rest is a motion of clips, too, and the easiest to
restore. The table shows it (``still``), and nothing is concluded from it: to ask for movement is the task's part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from whole_body_tracking.motion.sources.motion_entries import MotionEntry
from whole_body_tracking.names import require_known

from ..state import StateLayout, clip_poses, motion_states
from .rewards import score_reward
from .score_prior import LEVELS, ScorePrior

SPOILT = ("reversed", "shuffled", "noisy", "frozen")
"""Kinds that a prior has to score worse than the real windows."""
STILL = "still"
JOINT_NOISE = 0.05
"""Standard deviation of the noise of ``noisy`` [rad]."""
REWARD_SCALE = 6.0
MARGIN = 0.01
"""Difference of mean losses that counts."""


@dataclass(frozen=True)
class PoseWindows:
    """Windows of poses, in which the frame before the first state is included."""

    root_pos: Tensor
    """[m], shape [batch, num_frames + 1, 3]."""
    root_quat: Tensor
    """(x, y, z, w), shape [batch, num_frames + 1, 4]."""
    joint_pos: Tensor
    """[rad], shape [batch, num_frames + 1, num_joints]."""

    def states(self, fps: float) -> Tensor:
        """Their states in single precision, shape [batch, num_frames, dim]."""
        return motion_states(self.root_pos, self.root_quat, self.joint_pos, fps).float()


@dataclass(frozen=True)
class SanityRow:
    """One kind of window against the real ones."""

    kind: str
    loss: float
    """Mean normalised score loss: 0 for clips of the validation, 1 for unrelated frames."""
    reward: float
    """Mean of exp(-6 loss)."""
    real_is_better: float | None
    """Share of windows of which the real one has the lower loss under the same noise; None for the real ones."""


def cut_pose_windows(
    entries: Sequence[MotionEntry], layout: StateLayout, num_frames: int, num_windows: int
) -> PoseWindows:
    """Windows at equal distances over clips, so that a clip has as many as its length allows.

    Args:
        entries: The clips.
        layout: Of the states.
        num_frames: States of a window.
        num_windows: How many, about.

    Raises:
        ValueError: If no clip is long enough.
    """
    lengths = [max(0, entry.header().num_frames - num_frames) for entry in entries]
    if sum(lengths) == 0:
        raise ValueError(f"None of {len(entries)} clips has {num_frames + 1} frames, as a window of the prior needs.")
    stride = max(1, sum(lengths) // num_windows)
    parts = []
    for entry, length in zip(entries, lengths, strict=True):
        starts = torch.arange(0, length, stride)
        frames = starts[:, None] + torch.arange(num_frames + 1)
        parts.append([values[frames] for values in clip_poses(entry.load(), layout)])
    return PoseWindows(*(torch.cat(column) for column in zip(*parts, strict=True)))


def spoilt(kind: str, windows: PoseWindows, fps: float, random: torch.Generator) -> Tensor:
    """States of spoilt windows, shape [batch, num_frames, dim].

    Args:
        kind: ``reversed`` in time, with the velocities of the motion that results; ``shuffled``: the states in a random
            order; ``noisy``: joints with noise at every frame, and the velocities that follow; ``frozen``: the last
            state repeated, so that poses stand while velocities say that they move; ``still``: the last pose, at rest.
        windows: Real ones.
        fps: Frames per second.
        random: Of orders and noise.

    Raises:
        ValueError: If there is no such kind.
    """
    require_known(kind, (*SPOILT, STILL), "kind of spoilt window")
    pos, quat, joints = windows.root_pos, windows.root_quat, windows.joint_pos
    if kind == "reversed":
        return PoseWindows(pos.flip(1), quat.flip(1), joints.flip(1)).states(fps)
    if kind == "noisy":
        noise = torch.randn(joints.shape, generator=random, dtype=joints.dtype)
        return PoseWindows(pos, quat, joints + JOINT_NOISE * noise).states(fps)
    if kind == STILL:
        return PoseWindows(*(values[:, -1:].expand_as(values) for values in (pos, quat, joints))).states(fps)
    states = windows.states(fps)
    if kind == "frozen":
        return states[:, -1:].expand_as(states)
    order = torch.rand(states.shape[:2], generator=random).argsort(1)
    return states.gather(1, order[..., None].expand_as(states))


@torch.no_grad()
def sanity_table(
    model: ScorePrior, entries: Sequence[MotionEntry], num_windows: int = 1000, seed: int = 0
) -> list[SanityRow]:
    """Losses of real windows of clips and of spoilt ones, real ones first; all see the same noise.

    Args:
        model: The prior.
        entries: Clips that its training has not seen.
        num_windows: How many windows, about.
        seed: Of noise and spoiling.

    Raises:
        ValueError: If no clip is long enough or fits the prior.
    """
    random, fps = torch.Generator().manual_seed(seed), model.layout.fps
    windows = cut_pose_windows(entries, model.layout, model.num_frames, num_windows)
    real_states = windows.states(fps)
    noise = torch.randn((len(LEVELS), *real_states.shape), generator=random)
    real = model.normalized_losses(real_states, LEVELS, noise)
    rows = [_row("real", real, None)]
    for kind in (*SPOILT, STILL):
        losses = model.normalized_losses(spoilt(kind, windows, fps, random), LEVELS, noise)
        rows.append(_row(kind, losses, real))
    return rows


def _row(kind: str, losses: Tensor, real: Tensor | None) -> SanityRow:
    better = None if real is None else float((real.mean(-1) < losses.mean(-1)).float().mean())
    return SanityRow(kind, float(losses.mean()), float(score_reward(losses, REWARD_SCALE).mean()), better)


def table_content(rows: Sequence[SanityRow], entries: Sequence[MotionEntry]) -> dict:
    """The table as plain values, for JSON."""
    return {"clips": [entry.name for entry in entries], "rows": [asdict(row) for row in rows]}


def table_lines(rows: Sequence[SanityRow]) -> list[str]:
    """The table as text, and whether the prior passes."""
    lines = [f"{'windows':<10} {'score loss':>10} {'reward':>7} {'real is better':>15}"]
    for row in rows:
        share = "" if row.real_is_better is None else f"{row.real_is_better:.1%}"
        lines.append(f"{row.kind:<10} {row.loss:>10.3f} {row.reward:>7.3f} {share:>15}")
    failed = failures(rows)
    verdict = f"no: {', '.join(failed)}" if failed else "yes"
    lines.append(f"real windows score better than those that are reversed, shuffled, noisy or frozen: {verdict}")
    return lines


def failures(rows: Sequence[SanityRow]) -> list[str]:
    """Kinds of spoilt windows whose mean loss is not clearly above that of the real ones."""
    return [row.kind for row in rows[1:] if row.kind in SPOILT and not row.loss > rows[0].loss + MARGIN]


def score_table_file(folder: Path) -> Path:
    """Where a training writes the table."""
    return folder / "score_table.json"
