"""Failures of a recording, by the rules of :mod:`whole_body_tracking.tracking.criteria`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from whole_body_tracking.evaluation.recording import Recording
from whole_body_tracking.tracking.criteria import (
    HEIGHT_THRESHOLD,
    TILT_THRESHOLD,
    any_height_fails,
    height_fails,
    tilt_fails,
)

if TYPE_CHECKING:
    from whole_body_tracking.tasks.tracking.tracking_env_cfg import TerminationsCfg


def task_failures(recording: Recording, terminations: TerminationsCfg) -> Tensor:
    """Whether a termination of the task holds at each step, shape [num_steps, num_rollouts]."""
    ref, robot, anchor = recording.ref, recording.robot, recording.anchor_idx
    height, ends = terminations.anchor_pos.params["threshold"], terminations.ee_body_pos.params
    end_bodies = [recording.body_names.index(name) for name in ends["body_names"]]
    failed = height_fails(ref, robot, anchor, height)
    failed |= tilt_fails(ref, robot, anchor, terminations.anchor_ori.params["threshold"])
    failed |= any_height_fails(ref, robot, end_bodies, ends["threshold"])
    return failed | recording.diverged


def lafan1_failures(recording: Recording, root_body: str) -> Tensor:
    """Whether the LAFAN1-40 criterion fails at each step, shape [num_steps, num_rollouts]."""
    ref, robot, root = recording.ref, recording.robot, recording.body_names.index(root_body)
    failed = height_fails(ref, robot, root, HEIGHT_THRESHOLD) | tilt_fails(ref, robot, root, TILT_THRESHOLD)
    return failed | recording.diverged
