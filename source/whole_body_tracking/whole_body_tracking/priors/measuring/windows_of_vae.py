"""How well a VAE gives windows back, and how smooth motions between two windows are."""

from __future__ import annotations

import torch

from ..vae import MotionVAE
from . import accuracy
from .rollouts import TestWindows

NUM_BETWEEN = 9
"""Windows of an interpolation, ends included."""


@torch.no_grad()
def measure_vae(model: MotionVAE, windows: TestWindows) -> dict:
    """Reconstruction errors, and joint speeds of interpolations between neighbouring windows of the list."""
    truth, place = windows.truth, model.layout.slices
    decoded = model.decode(model.encode(truth)[0])
    between = torch.cat(
        [model.interpolate(a, b, NUM_BETWEEN) for a, b in zip(truth[:-1], truth[1:], strict=True)] or [decoded]
    )
    mean_pose = truth[..., place["joint_pos"]].mean((0, 1))
    speeds = {"truth": truth, "reconstruction": decoded, "interpolation": between}
    return {
        "reconstruction": {name: accuracy.rmse(decoded[..., s], truth[..., s]) for name, s in place.items()},
        "mean_pose": accuracy.rmse(mean_pose.expand_as(truth[..., place["joint_pos"]]), truth[..., place["joint_pos"]]),
        "joint_pos_r2": accuracy.r_squared(decoded[..., place["joint_pos"]], truth[..., place["joint_pos"]]),
        "max_joint_speed": {
            name: float(states[..., place["joint_vel"]].abs().max()) for name, states in speeds.items()
        },
        "num_windows": len(truth),
    }
