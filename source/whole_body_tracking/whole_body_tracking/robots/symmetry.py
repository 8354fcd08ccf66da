"""Left and right of a robot: which joint and body mirrors which, and which angles change their sign.

The mirror is the plane of the root's x and z axes. A reflection M = diag(1, -1, 1) takes a position p to M p, a
rotation matrix R to M R M and an angular velocity w to -M w. A joint whose axis is a at zero angles becomes one about
-M a; where its counterpart's axis is the opposite of that, the angle changes its sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from .model import RobotModel

SIDES = ("left", "right")
"""Words that tell mirrored names apart."""

AXIS_TOLERANCE = 1.0e-3
"""Deviation from 1 of the dot product of a joint's axis and its counterpart's mirrored one, at most."""


@dataclass(frozen=True)
class JointMirror:
    """Mirror image of per-joint values v: ``signs * v[indices]``."""

    indices: np.ndarray
    """Counterpart of each joint, shape [num_joints]."""
    signs: np.ndarray
    """1, or -1 where the angle changes its sign, shape [num_joints]."""


def mirrored_joints(robot: RobotModel, names: Sequence[str]) -> JointMirror:
    """Mirror of values that run over these joints of a robot.

    Raises:
        ValueError: If a joint has no counterpart among them, or its axis is no mirror image of its counterpart's.
    """
    indices = mirrored_indices(names)
    axes = _axes_at_zero(robot)[[robot.joint_names.index(name) for name in names]]
    cosines = (axes[indices] * axes * np.array([-1.0, 1.0, -1.0])).sum(-1)
    for name, cosine in zip(names, cosines, strict=True):
        if abs(abs(cosine) - 1.0) > AXIS_TOLERANCE:
            raise ValueError(
                f"{robot.name} is not symmetric: the axis of {name} is no mirror image of {mirrored_name(name)}'s."
            )
    return JointMirror(indices, np.sign(cosines))


def mirrored_indices(names: Sequence[str]) -> np.ndarray:
    """Position of each name's counterpart, shape [num_names].

    Raises:
        ValueError: If one has no counterpart.
    """
    missing = [name for name in names if mirrored_name(name) not in names]
    if missing:
        raise ValueError(f"There is {missing[0]}, but no {mirrored_name(missing[0])} that mirrors it.")
    return np.array([list(names).index(mirrored_name(name)) for name in names])


def mirrored_name(name: str) -> str:
    """The name with ``left`` and ``right`` exchanged; names without sides are their own."""
    left, right = SIDES
    return name.replace(left, "\0").replace(right, left).replace("\0", right)


def _axes_at_zero(robot: RobotModel) -> np.ndarray:
    """Axis of each joint in the root's frame at zero angles, shape [num_joints, 3]."""
    turns = [Rotation.identity()]
    for joint, quat in enumerate(robot.joint_origin_quat):
        turns.append(turns[robot.parent_idx[joint + 1]] * Rotation.from_quat(quat))
    return np.stack([turn.apply(axis) for turn, axis in zip(turns[1:], robot.joint_axis, strict=True)])
