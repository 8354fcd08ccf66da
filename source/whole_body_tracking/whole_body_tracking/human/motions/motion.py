"""A motion of a human body, and its velocities and accelerations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import mujoco
import numpy as np
from scipy.ndimage import gaussian_filter1d

from ..model.coordinates import Coordinates

SMOOTHING = 0.04
"""Standard deviation of the Gaussian over velocities before they are differentiated [s], as for robots' clips."""


@dataclass(frozen=True)
class HumanMotion:
    """Positions of a model over time, its couplings held."""

    name: str
    fps: float
    qpos: np.ndarray
    """MuJoCo's positions, shape [num_frames, nq]; quaternions (w, x, y, z)."""

    def __post_init__(self):
        if len(self.qpos) < 3:
            raise ValueError(f"{self.name} has {len(self.qpos)} frames, expected at least 3: accelerations need them.")

    @property
    def num_frames(self) -> int:
        return len(self.qpos)

    def raised(self, height: float) -> HumanMotion:
        """The motion with its root moved up [m]."""
        qpos = self.qpos.copy()
        qpos[:, 2] += height
        return replace(self, qpos=qpos)


def velocities(model: mujoco.MjModel, coordinates: Coordinates, motion: HumanMotion) -> np.ndarray:
    """Smoothed velocities that respect the couplings [m/s, rad/s], shape [num_frames, nv]."""
    steps = np.zeros((motion.num_frames - 1, model.nv))
    for frame, step in enumerate(steps):
        mujoco.mj_differentiatePos(model, step, 1.0 / motion.fps, motion.qpos[frame], motion.qpos[frame + 1])
    middle = 0.5 * (steps[1:] + steps[:-1])
    full = np.concatenate((steps[:1], middle, steps[-1:]))
    smooth = gaussian_filter1d(full, SMOOTHING * motion.fps, axis=0, mode="nearest")[:, coordinates.dofs]
    return np.einsum("fdc,fc->fd", coordinates.jacobian(motion.qpos), smooth)


def accelerations(motion: HumanMotion, velocity: np.ndarray) -> np.ndarray:
    """Central differences of velocities [m/s^2, rad/s^2], shape [num_frames, nv]."""
    return np.gradient(velocity, 1.0 / motion.fps, axis=0)


def minimum_jerk(share: np.ndarray) -> np.ndarray:
    """A way from 0 to 1 without velocity and acceleration at its ends: 10 s^3 - 15 s^4 + 6 s^5."""
    share = np.clip(share, 0.0, 1.0)
    return share**3 * (10.0 + share * (-15.0 + 6.0 * share))


def up_and_down(num_frames: int, fps: float, rise: float, hold: float, rest: float) -> np.ndarray:
    """From 0 to 1 and back along minimum-jerk ways, shape [num_frames].

    Args:
        num_frames: Length; the end is held.
        fps: Frames per second.
        rise: Duration of either way [s].
        hold: Time at 1 [s].
        rest: Time at 0 before [s].
    """
    time = np.arange(num_frames) / fps - rest
    return minimum_jerk(time / rise) - minimum_jerk((time - rise - hold) / rise)
