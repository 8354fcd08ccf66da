"""What a planner minimises: distances of simulated robots from the reference, each over a scale."""

from __future__ import annotations

import numpy as np

from .native_physics import Trajectories
from .reference import ReferenceStates

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
