"""When heel and toe of a person stand on the ground, told from height and speed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from whole_body_tracking.motion.conversion.resample import linear_velocity

STILL = 0.35
"""A point that stands moves slower than this [m/s]."""
ANKLE_RISE, TOE_RISE = 0.04, 0.03
"""A point that stands is at most this much higher than in flat stance [m]."""
LOWEST = 0.05
"""Share of the still frames that may be lower than the ground."""
SHORTEST = 0.06
"""Shorter contacts and shorter gaps are noise [s]."""


@dataclass(frozen=True)
class FlatStance:
    """Heights of the joints above the file's z = 0 when the foot is flat on the ground [m]."""

    ankle: float
    toe: float


def flat_stance(ankle: Tensor, toe: Tensor, fps: float) -> FlatStance:
    """Heights of ankle and toe in flat stance, from the frames in which both are still and low.

    Args:
        ankle: Positions of both ankles [m], shape [num_frames, 2, 3].
        toe: Positions of both toes [m], shape [num_frames, 2, 3].
        fps: Frames per second.
    """
    speed = torch.maximum(_speed(ankle, fps), _speed(toe, fps)).flatten()
    heights = torch.stack((ankle[..., 2], toe[..., 2]), dim=-1).flatten(0, 1)
    still = heights[speed < STILL]
    chosen = still if len(still) >= 3 else heights
    # A foot that is held still in the air does not stand; nor does one frame of noise make the ground.
    floor = chosen[:, 1].sort().values[int(LOWEST * (len(chosen) - 1))]
    low = chosen[chosen[:, 1] <= floor + TOE_RISE]
    ankle_height, toe_height = low.median(0).values.tolist()
    return FlatStance(ankle_height, toe_height)


def contacts(ankle: Tensor, toe: Tensor, flat: FlatStance, fps: float) -> tuple[Tensor, Tensor]:
    """Whether heel and toe of each foot stand, shape [num_frames, 2] each; arguments as in :func:`flat_stance`."""
    heel = (_speed(ankle, fps) < STILL) & (ankle[..., 2] < flat.ankle + ANKLE_RISE)
    front = (_speed(toe, fps) < STILL) & (toe[..., 2] < flat.toe + TOE_RISE)
    shortest = max(1, round(SHORTEST * fps))
    return _without_short_runs(heel, shortest), _without_short_runs(front, shortest)


def runs(flags: Tensor) -> list[tuple[int, int]]:
    """First and past-the-last frame of each run of true values, of a vector."""
    padded = torch.cat((flags.new_zeros(1), flags, flags.new_zeros(1))).int()
    change = padded.diff()
    return list(zip((change == 1).nonzero()[:, 0].tolist(), (change == -1).nonzero()[:, 0].tolist(), strict=True))


def _speed(pos: Tensor, fps: float) -> Tensor:
    return linear_velocity(pos, fps).norm(dim=-1)


def _without_short_runs(flags: Tensor, shortest: int) -> Tensor:
    """Close gaps, then drop contacts, that are shorter than so many frames; those at the ends stay."""
    result = flags.clone()
    for foot in range(flags.shape[1]):
        for value in (False, True):
            for start, end in runs(result[:, foot] == value):
                if end - start < shortest and start > 0 and end < len(flags):
                    result[start:end, foot] = not value
    return result
