"""Frames with x forward, y left and z up, fixed to joints whose own axes can be any."""

from __future__ import annotations

import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from ..skeleton import SkeletonMotion

UPRIGHT = 0.8
"""Cosine of the largest tilt of legs in a rest pose that counts as standing."""


def quat_from_axes(left: Tensor, up: Tensor) -> Tensor:
    """Orientation (x, y, z, w) of the frame whose z is ``up`` and whose y is ``left`` without its part along z.

    Raises:
        ValueError: If the two directions are nearly one.
    """
    z = up / up.norm()
    y = left - (left @ z) * z
    if float(y.norm()) < 0.1 * float(left.norm()):
        raise ValueError(
            "A body's left and up directions are nearly one: the skeleton's joints are not where expected."
        )
    y = y / y.norm()
    x = torch.linalg.cross(y, z)
    return torch.from_numpy(Rotation.from_matrix(torch.stack((x, y, z), dim=1).numpy()).as_quat())


def mean_direction(vectors: Tensor) -> Tensor:
    """Unit vector along the mean of vectors, shape [3], from shape [num_frames, 3]."""
    mean = vectors.mean(0)
    return mean / mean.norm().clamp(min=1e-9)


def rest_up(motion: SkeletonMotion, joints: dict[str, str]) -> Tensor:
    """Up direction of the rest pose (all rotations zero), shape [3]: the axis that its legs hang along.

    Raises:
        ValueError: If the legs of the rest pose do not hang along an axis.
    """
    rest = torch.zeros(motion.num_joints, 3, dtype=torch.float64)
    for joint in range(1, motion.num_joints):
        rest[joint] = rest[motion.parents[joint]] + torch.from_numpy(motion.offsets[joint])
    legs = sum(
        rest[motion.index(joints[f"{s}_hip"])] - rest[motion.index(joints[f"{s}_ankle"])] for s in ("left", "right")
    )
    axis = int(legs.abs().argmax())
    if float(legs[axis].abs()) < UPRIGHT * float(legs.norm()):
        raise ValueError(
            f"The skeleton's rest pose does not stand: its legs point along {[round(v, 3) for v in (-legs).tolist()]}."
            " Write a table with `up_axis` for pelvis and chest (docs/mocap.md) and pass it with --table FILE."
        )
    up = torch.zeros(3, dtype=torch.float64)
    up[axis] = legs[axis].sign()
    return up
