"""What a run measured, asked for and sent: one row per policy step."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.files import write_atomically
from whole_body_tracking.motion import MotionClip

FORMAT = "whole_body_tracking deployment recording 1"

COLUMNS = (
    "time",
    "tick",
    "tracking",
    "clip",
    "frame",
    "root_pos_w",
    "root_quat_w",
    "root_lin_vel_w",
    "root_ang_vel_w",
    "joint_pos",
    "joint_vel",
    "joint_torque",
    "gyro",
    "accelerometer",
    "observation",
    "action",
    "targets",
    "heading_correction",
    "joint_corrections",
    "duration",
)
"""Arrays of a recording; their first dimension is the policy step, joints are in the policy's order."""

GAIT = "gait"
"""Further array of a policy that follows a RefNN: what its reference goes over to, in the order of ``gait_inputs``."""

CLIP_ARRAYS = ("joint_pos", "joint_vel", "body_pos_w", "body_quat_w", "body_lin_vel_w", "body_ang_vel_w")
"""Arrays of each clip that was tracked."""


class Recorder:
    """Collects rows, and writes them as one NPZ without pickled objects."""

    def __init__(self, spec: PolicySpec, followed: Callable[[], Sequence[MotionClip]]):
        """Start without rows.

        Args:
            spec: Of the policy.
            followed: Gives the references that steps aimed at; column ``clip`` counts them. Those with rows are kept.
        """
        self._spec, self._followed = spec, followed
        self._columns = (*COLUMNS, GAIT) if spec.holds_refnn else COLUMNS
        self._rows: dict[str, list] = defaultdict(list)

    @property
    def num_steps(self) -> int:
        return len(self._rows["time"])

    def add(self, **values) -> None:
        """Add a row: one value for each of :data:`COLUMNS`, and :data:`GAIT`."""
        for name in self._columns:
            self._rows[name].append(values[name])

    def save(self, path: Path, details: dict) -> None:
        """Write the rows.

        Args:
            path: File to write, at once and completely.
            details: What else is worth keeping, such as trips and counts; goes into ``details`` as JSON.
        """
        arrays = {name: np.array(self._rows[name]) for name in self._columns} | self._tracked()
        buffer = io.BytesIO()
        text = {"format": FORMAT, "spec": self._spec.to_json(), "details": json.dumps(details)}
        np.savez_compressed(buffer, **arrays, **{name: np.array(value) for name, value in text.items()})
        write_atomically(path, buffer.getvalue())

    def _tracked(self) -> dict[str, np.ndarray]:
        """The references that were tracked: joints and tracked bodies in the order of the spec."""
        clips = self._followed()
        arrays = {"clip_names": np.array([clip.name for clip in clips])}
        for index in sorted(set(self._rows["clip"])):
            for name in CLIP_ARRAYS:
                arrays[f"clip_{index}_{name}"] = getattr(clips[index], name)
            arrays[f"clip_{index}_sha256"] = np.array(clips[index].source["sha256"])
        return arrays
