"""What training does with each clip: logged every iteration, written as a table at every save."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from whole_body_tracking.files import write_table

if TYPE_CHECKING:
    from whole_body_tracking.tasks.tracking.mdp.commands import MotionCommand

CLIPS_FILE = "clips.csv"
COLUMNS = ("failure_rate", "mean_survived_s", "probability")
MAX_LOGGED = 64
"""Clips that get curves of their own, the first ones of the library; the table has all."""


def clip_rows(motion: MotionCommand, step_dt: float) -> list[dict[str, str | float]]:
    """One row a clip: its name, share of failed episodes, mean episode length [s], and probability of a start.

    The first two are moving averages, zero for a clip without any ended episode.
    """
    names, values = motion.library.names, clip_values(motion, step_dt).tolist()
    return [{"clip": name} | dict(zip(COLUMNS, row, strict=True)) for name, row in zip(names, values, strict=True)]


def clip_values(motion: MotionCommand, step_dt: float) -> Tensor:
    """The columns of :func:`clip_rows` on the device, shape [num_clips, 3]."""
    sampler = motion.sampler
    columns = (sampler.clips.failure_rates, sampler.clips.mean_steps * step_dt, sampler.clip_probabilities)
    return torch.stack(columns, dim=-1)


def log_clips(writer: Any, rows: list[dict[str, str | float]], iteration: int) -> None:
    """Log ``Motion/<clip>/<column>`` of the first :data:`MAX_LOGGED` clips.

    Args:
        writer: Summary writer of the run.
        rows: From :func:`clip_rows`.
        iteration: Iteration of the values.
    """
    for row in rows[:MAX_LOGGED]:
        for column in COLUMNS:
            writer.add_scalar(f"Motion/{row['clip']}/{column}", row[column], iteration)


def write_clips(path: Path, rows: list[dict[str, str | float]]) -> None:
    """Write the table as CSV; an existing one is replaced only when the new one is complete."""
    write_table(path, rows)
