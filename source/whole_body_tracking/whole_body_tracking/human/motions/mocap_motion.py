"""Mocap onto a human body."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from whole_body_tracking.mocap import MocapFile, read_mocap
from whole_body_tracking.mocap.person.measure import measure_person
from whole_body_tracking.mocap.targets import build_targets

from ..model.body import HumanBody
from .inverse_kinematics import solve_poses
from .motion import HumanMotion

GROUND_SHARE = 5.0
"""Percentile of the soles' lowest points that is put on the ground: single frames may sink."""


def read_range(
    path: Path,
    skeleton: Path | None = None,
    frame_range: tuple[int, int] | None = None,
    unit: str | None = None,
    table: str | None = None,
) -> MocapFile:
    """Read a mocap file and keep a range of its frames.

    Args:
        path: BVH or AMC.
        skeleton: ASF of an AMC; None takes the one beside it.
        frame_range: First and last row of the file, from 1, both included; None keeps all. A calibration pose before
            the recording counts, and is left out all the same.
        unit: Of the file; None tells it from the legs.
        table: Correspondence table; None takes the first that fits.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a file cannot be read, or the range is not one of its rows.
    """
    file = read_mocap(path, skeleton, unit=unit, table=table)
    if frame_range is None:
        return file
    first, last = frame_range
    begin = file.first_frame
    end = begin + file.motion.num_frames - 1
    if not 1 <= first < last <= end:
        raise ValueError(f"--frame_range is {first} {last}, and {path.name} has the frames 1 to {end}.")
    rows = slice(max(first, begin) - begin, last + 1 - begin)
    motion = dataclasses.replace(
        file.motion, local_quat=file.motion.local_quat[rows], root_pos=file.motion.root_pos[rows]
    )
    return dataclasses.replace(file, motion=motion, first_frame=max(first, begin))


def motion_of(file: MocapFile, body: HumanBody, fps: float) -> HumanMotion:
    """The mocap's motion on a body, at a rate, with its feet on the ground.

    Raises:
        ValueError: If the motion is too short for the rate, or a limb has length zero.
    """
    skeleton = file.motion.resampled(fps)
    targets = build_targets(measure_person(file, skeleton), body.figure())
    motion = solve_poses(body, targets, Path(str(file.motion.source["file"])).stem)
    return motion.raised(-float(np.percentile(body.lowest_soles(motion.qpos), GROUND_SHARE)))
