"""Which unit and which axes a mocap file is in, told by the body that moves in it."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.spatial.transform import Rotation

from .skeleton import SkeletonMotion

UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "cmu": 0.0254 / 0.45}
"""Metres of a length of 1. ``cmu``: the unit of the CMU collection, 1/0.45 inches."""

ADULT_LEG = 0.83
"""Length of thigh and shank of a typical adult [m]."""

LEG_RANGE = (0.55, 1.15)
"""Lengths of thigh and shank that a person can have [m]."""

UP_ROTATIONS = {
    "z": Rotation.identity(),
    "y": Rotation.from_euler("x", 90, degrees=True),
    "x": Rotation.from_euler("y", -90, degrees=True),
    "-z": Rotation.from_euler("x", 180, degrees=True),
    "-y": Rotation.from_euler("x", -90, degrees=True),
    "-x": Rotation.from_euler("y", 90, degrees=True),
}
"""What turns each axis to +z."""

CLEARLY = 0.75
"""Share of the body's mean extent that its largest axis must hold to be up."""


def leg_length(motion: SkeletonMotion, joints: dict[str, str]) -> float:
    """Length of thigh and shank, mean of both sides [file units].

    Raises:
        ValueError: If it is zero.
    """
    lengths = []
    for side in ("left", "right"):
        for upper, lower in (("hip", "knee"), ("knee", "ankle")):
            names = (joints[f"{side}_{upper}"], joints[f"{side}_{lower}"])
            lengths.append(bone_length(motion, *names))
            if not lengths[-1] > 1e-9:
                raise ValueError(
                    f"The bone from '{names[0]}' to '{names[1]}' has length zero. Check the file's OFFSETs."
                )
    return 0.5 * sum(lengths)


def bone_length(motion: SkeletonMotion, upper: str, lower: str) -> float:
    """Mean distance between two joints over the motion [file units]."""
    chain, joint, top = [], motion.index(lower), motion.index(upper)
    while joint not in (top, -1):
        chain.append(joint)
        joint = motion.parents[joint]
    if joint == top and len(chain) == 1:
        return float(np.linalg.norm(motion.offsets[chain[0]]))
    pos, _ = motion.joint_poses()
    return float((pos[:, motion.index(lower)] - pos[:, top]).norm(dim=-1).mean())


def detect_unit(leg: float) -> str:
    """Name of the unit in which this leg is nearest to an adult's.

    Raises:
        ValueError: If no known unit makes it a person's.
    """
    best = min(UNITS, key=lambda name: abs(np.log(leg * UNITS[name] / ADULT_LEG)))
    if not LEG_RANGE[0] <= leg * UNITS[best] <= LEG_RANGE[1]:
        options = ", ".join(f"{leg * meters:.3g} m in {name}" for name, meters in UNITS.items())
        raise ValueError(
            f"The file's unit cannot be told: thigh and shank measure {leg:.4g}, which is {options}; a person's measure"
            f" {LEG_RANGE[0]} to {LEG_RANGE[1]} m. Pass the length of 1 in metres, such as --unit 0.01."
        )
    return best


def parse_unit(unit: str) -> float:
    """Metres of a length of 1, from a name of :data:`UNITS` or a number.

    Raises:
        ValueError: If it is neither.
    """
    if unit in UNITS:
        return UNITS[unit]
    try:
        meters = float(unit)
    except ValueError:
        meters = float("nan")
    if not 0.0 < meters < float("inf"):
        raise ValueError(f"Unknown unit '{unit}'. Known: {list(UNITS)}, or the length of 1 in metres, such as 0.01.")
    return meters


def detect_up(motion: SkeletonMotion, joints: dict[str, str]) -> str:
    """The axis along which the body stands: from its ankles to its head, on average over the motion.

    Raises:
        ValueError: If no axis stands out, as when the person lies.
    """
    pos, _ = motion.joint_poses()
    ankles = 0.5 * sum(pos[:, motion.index(joints[f"{side}_ankle"])] for side in ("left", "right"))
    extent = (pos[:, motion.index(joints["head"])] - ankles).mean(0)
    axis = int(extent.abs().argmax())
    if not float(extent[axis].abs()) > CLEARLY * float(extent.norm()):
        raise ValueError(
            "The up axis cannot be told: from the ankles to the head it goes"
            f" {[round(v, 3) for v in extent.tolist()]} on average. Pass it with --up y or --up z."
        )
    return ("-" if extent[axis] < 0.0 else "") + "xyz"[axis]


def to_meters_z_up(motion: SkeletonMotion, meters: float, up: str) -> SkeletonMotion:
    """The motion scaled, and turned so that ``up`` is +z.

    Raises:
        ValueError: If there is no such axis.
    """
    if up not in UP_ROTATIONS:
        raise ValueError(f"Unknown axis '{up}'. Known: {list(UP_ROTATIONS)}.")
    turn = UP_ROTATIONS[up]
    local_quat = motion.local_quat.copy()
    local_quat[:, 0] = (turn * Rotation.from_quat(local_quat[:, 0])).as_quat()
    sign = np.sign((local_quat[1:, 0] * local_quat[:-1, 0]).sum(-1))
    local_quat[1:, 0] *= np.cumprod(np.where(sign < 0.0, -1.0, 1.0))[:, None]
    root_pos = turn.apply(motion.root_pos) * meters
    return dataclasses.replace(motion, offsets=motion.offsets * meters, local_quat=local_quat, root_pos=root_pos)
