"""Layouts and rows for the tests of supervised training."""

import numpy as np

from whole_body_tracking.rl.sft.dataset import SampleLayout

LAYOUT = SampleLayout(
    robot="g1",
    clip="squat",
    clip_sha256="a" * 64,
    control_dt=0.02,
    observations=(("command", 2), ("joint_pos", 1)),
    joint_names=("hip", "knee"),
    action_center="reference",
    action_sha256="b" * 64,
)


def rows(count: int, first: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observations, actions and frames; the first observation of a row is its number plus ``first``."""
    numbers = first + np.arange(count, dtype=np.float32)
    return np.column_stack([numbers, 0.1 * numbers, -numbers]), np.column_stack([numbers, numbers + 0.5]), numbers
