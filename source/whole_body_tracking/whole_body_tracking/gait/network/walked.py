"""How fast a robot walked in the direction that it was to walk in."""

from __future__ import annotations

import torch
from torch import Tensor

from whole_body_tracking.motion.geometry.rotations import quat_rotate

SETTLING = 1.0
"""Time at the start that does not count [s]."""


def realised_speed(root_pos_w: Tensor, ref_root_quat_w: Tensor, dt: float) -> Tensor:
    """Mean velocity of the root along the reference's heading, without the first second [m/s], shape [num_walks].

    Args:
        root_pos_w: Root of the robot [m], shape [num_steps, num_walks, 3].
        ref_root_quat_w: Orientation of the reference's root (x, y, z, w), shape [num_steps, num_walks, 4].
        dt: Time between two steps [s].
    """
    first = min(round(SETTLING / dt), len(root_pos_w) - 2)
    ahead = quat_rotate(ref_root_quat_w, torch.zeros_like(root_pos_w) + root_pos_w.new_tensor([1.0, 0.0, 0.0]))[..., :2]
    ahead = ahead / ahead.norm(dim=-1, keepdim=True)
    velocity = (root_pos_w[1:, :, :2] - root_pos_w[:-1, :, :2]) / dt
    return (velocity * ahead[1:]).sum(-1)[first:].mean(0)
