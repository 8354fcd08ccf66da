"""Zero-phase low-pass of a recorded motion. For converting only: never in training, never after a prediction."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from .skeleton import SkeletonMotion

ORDER = 4
"""Order of the Butterworth filter. It runs forwards and backwards, which doubles its slope and removes its delay."""
KEPT_STRIKE = 0.85
"""Share of the feet's fastest fall that must be left, or their strikes count as flattened."""
STRIKE_PERCENTILE = 99.0


@dataclass(frozen=True)
class SmoothingNote:
    """What a low-pass took away."""

    cutoff_hz: float
    energy_removed: float
    """Share of the kinetic energy: summed squares of the joints' removed over their original velocities."""
    strike_kept: float
    """Fastest fall of ankles and toes (99th percentile) after over before."""

    @property
    def flattens_strikes(self) -> bool:
        return self.strike_kept < KEPT_STRIKE

    def describe(self) -> str:
        """One line, with what to do if foot strikes are flattened."""
        line = f"low-pass at {self.cutoff_hz:g} Hz: {100 * self.energy_removed:.2g} % of the kinetic energy removed"
        if self.flattens_strikes:
            line += (
                f"; the feet's fastest fall keeps only {100 * self.strike_kept:.0f} %: foot strikes are flattened,"
                " raise --smooth_hz"
            )
        return line


def smooth(motion: SkeletonMotion, cutoff_hz: float, feet: list[str]) -> tuple[SkeletonMotion, SmoothingNote]:
    """Low-pass the root's positions and all rotations.

    Rotations are filtered as quaternions that do not flip sign, then normalised.

    Args:
        motion: The motion at its own rate.
        cutoff_hz: Frequency above which movements are removed [Hz].
        feet: Joints whose strikes are watched.

    Raises:
        ValueError: If the frequency is not between zero and half the rate, or the motion is too short for the filter.
    """
    nyquist = motion.fps / 2.0
    if not 0.0 < cutoff_hz < nyquist:
        raise ValueError(
            f"The low-pass at {cutoff_hz:g} Hz should be above 0 and below half the motion's rate ({nyquist:g} Hz)."
        )
    from scipy.signal import butter, sosfiltfilt  # slow to import, and most clips are not smoothed

    sections = butter(ORDER, cutoff_hz, fs=motion.fps, output="sos")
    shortest = 3 * (2 * len(sections) + 1) + 1
    if motion.num_frames < shortest:
        raise ValueError(f"The low-pass needs at least {shortest} frames, the motion has {motion.num_frames}.")
    quat = sosfiltfilt(sections, motion.local_quat, axis=0)
    quat /= np.linalg.norm(quat, axis=-1, keepdims=True)
    smoothed = dataclasses.replace(motion, local_quat=quat, root_pos=sosfiltfilt(sections, motion.root_pos, axis=0))
    before, after = (np.diff(each.joint_poses()[0].numpy(), axis=0) * motion.fps for each in (motion, smoothed))
    moved = float((before**2).sum())
    removed = float(((before - after) ** 2).sum()) / moved if moved > 0.0 else 0.0
    columns = [motion.index(name) for name in feet]
    falls = [
        np.percentile(np.maximum(-velocity[:, columns, 2], 0.0), STRIKE_PERCENTILE) for velocity in (before, after)
    ]
    kept = float(falls[1] / falls[0]) if falls[0] > 0.05 else 1.0
    return smoothed, SmoothingNote(float(cutoff_hz), removed, kept)
