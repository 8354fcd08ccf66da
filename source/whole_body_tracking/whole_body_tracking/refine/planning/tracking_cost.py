"""What a planner minimises: distances of simulated robots from the reference, each over a scale."""

from __future__ import annotations

import numpy as np

from whole_body_tracking.refine.native_physics import Trajectories
from whole_body_tracking.refine.reference import ReferenceStates

BODY_SCALE = 0.1
"""Distance of the tracked bodies that costs 1 [m]."""
ROTATION_SCALE = 0.3
"""Angle of the root that costs 1 [rad]."""
VELOCITY_SCALE = 1.6
"""Velocity error of the root that costs 1 [m/s]."""
JOINT_SCALE = 0.37
"""Joint position error that costs 1 [rad]."""
WORST = 1e4
"""Cost of a robot whose state is not finite."""


def tracking_residuals(played: Trajectories, reference: ReferenceStates, frames: np.ndarray) -> np.ndarray:
    """Terms whose squares sum to :func:`tracking_cost`, smooth in the state, shape [..., num_residuals].

    Args:
        played: What the robots did, shape [..., ...].
        reference: The clip.
        frames: Frame that each state should have reached; broadcasts to the leading shape.
    """
    ref = reference.qpos[frames], reference.qvel[frames], reference.body_pos_w[frames]
    body = (played.body_pos_w - ref[2]) / (BODY_SCALE * np.sqrt(ref[2].shape[-2]))
    joint = (played.qpos[..., 7:] - ref[0][..., 7:]) / (JOINT_SCALE * np.sqrt(ref[0].shape[-1] - 7))
    velocity = (played.qvel[..., :3] - ref[1][..., :3]) / VELOCITY_SCALE
    rotation = rotation_between(ref[0][..., 3:7], played.qpos[..., 3:7]) / ROTATION_SCALE
    residuals = np.concatenate([body.reshape(*body.shape[:-2], -1), rotation, velocity, joint], axis=-1)
    return np.nan_to_num(residuals, nan=WORST, posinf=WORST, neginf=-WORST).clip(-WORST, WORST)


def rotation_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Rotation vector from one orientation (w, x, y, z) to another, in the first's frame [rad], shape [..., 3]."""
    w1, v1, w2, v2 = first[..., :1], first[..., 1:], second[..., :1], second[..., 1:]
    w = w1 * w2 + (v1 * v2).sum(-1, keepdims=True)
    v = w1 * v2 - w2 * v1 - np.cross(v1, v2)
    norm = np.linalg.norm(v, axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(norm, np.abs(w))
    return np.sign(np.where(w == 0.0, 1.0, w)) * v * np.where(norm > 1e-9, angle / np.maximum(norm, 1e-9), 2.0)


def tracking_cost(played: Trajectories, reference: ReferenceStates, frames: np.ndarray) -> np.ndarray:
    """Cost of every step, shape [..., num_steps].

    The sum of four squares: mean distance of the tracked bodies, angle of the root, its velocity and the mean joint
    error, each over its scale.

    Args:
        played: What the robots did, shape [..., num_steps, ...].
        reference: The clip.
        frames: Frame that each step should have reached, shape [..., num_steps] or one that broadcasts to it.
    """
    ref = reference.qpos[frames], reference.qvel[frames], reference.body_pos_w[frames]
    body = np.square(played.body_pos_w - ref[2]).sum(-1).mean(-1)
    # The sign of a quaternion does not matter: |<p, q>| = cos(angle / 2).
    cosine = np.abs((played.qpos[..., 3:7] * ref[0][..., 3:7]).sum(-1)).clip(0.0, 1.0)
    rotation = np.square(2.0 * np.arccos(cosine))
    velocity = np.square(played.qvel[..., :3] - ref[1][..., :3]).sum(-1)
    joint = np.square(played.qpos[..., 7:] - ref[0][..., 7:]).mean(-1)
    terms = ((body, BODY_SCALE), (rotation, ROTATION_SCALE), (velocity, VELOCITY_SCALE), (joint, JOINT_SCALE))
    cost = sum(squared / scale**2 for squared, scale in terms)
    return np.nan_to_num(cost, nan=WORST, posinf=WORST).clip(0.0, WORST)
