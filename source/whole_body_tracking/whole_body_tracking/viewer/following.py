"""What a camera looks at that follows robots, and from how far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter1d

from .colors_and_camera import CLEARANCE
from .tracks import Track

CAMERA_LAG = 0.4
"""Standard deviation in time with which the camera's way is smoothed [s]."""

ROBOT_ROOT_HEIGHT = 0.8
"""At most, of a robot that stands [m]."""


def followed(tracks: Sequence[Track], fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Middle of all tracks' roots and a distance that grows as they part, smoothed over time.

    Args:
        tracks: What moves, at least one; a track that has ended stays where it was.
        fps: Frame rate of the tracks [Hz].

    Returns:
        Places on the ground [m], shape [num_frames, 2], and distances [m], shape [num_frames].
    """
    num_frames = max(track.num_frames for track in tracks)
    held = [np.minimum(np.arange(num_frames), track.num_frames - 1) for track in tracks]
    roots = np.stack([track.pos_w[frames, 0] for track, frames in zip(tracks, held, strict=True)])
    low, high = roots.min(0), roots.max(0)
    distance = CLEARANCE + np.linalg.norm(high - low, axis=-1)
    way = np.column_stack(((low + high)[:, :2] / 2.0, distance))
    way = gaussian_filter1d(way.astype(np.float64), CAMERA_LAG * fps, axis=0, mode="nearest")
    return way[:, :2], way[:, 2]


def relative_size(tracks: Sequence[Track]) -> float:
    """Size of the largest of the tracks relative to a robot, at least 1: a person's root is higher above the ground."""
    return max(1.0, *(float(np.median(track.pos_w[:, 0, 2])) / ROBOT_ROOT_HEIGHT for track in tracks))
