"""Noise of an inertial measurement unit: orientations that are off by a rotation, not by numbers added to a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from isaaclab.utils.noise import NoiseModel
from torch import Tensor

if TYPE_CHECKING:
    from .sensor_noise_cfg import OrientationNoiseCfg


def turned_columns(columns: Tensor, angle: Tensor) -> Tensor:
    """Columns of rotation matrices as a sensor sees them whose own frame is turned by ``angle``.

    With the sensor's frame off by E = exp([angle]_x), a rotation R given in that frame is read as E^T R: every column
    c becomes E^T c. A small angle gives c - angle x c.

    Args:
        columns: First two columns row by row, as :func:`~.tracking_errors.rotation_columns` makes them, shape
            [num_envs, 6].
        angle: Rotation vectors of the sensor's error [rad], shape [num_envs, 3].
    """
    length = angle.norm(dim=-1, keepdim=True).clamp(min=1e-9)
    axis, sine, cosine = (angle / length)[:, None], torch.sin(-length)[:, None], torch.cos(length)[:, None]
    vectors = columns.unflatten(-1, (3, 2)).transpose(1, 2)
    along = (axis * vectors).sum(-1, keepdim=True) * axis
    turned = vectors * cosine + torch.linalg.cross(axis.expand_as(vectors), vectors) * sine + along * (1.0 - cosine)
    return turned.transpose(1, 2).flatten(1)


class OrientationNoise(NoiseModel):
    """Turns an orientation observation by a rotation that is constant within an episode and by one drawn each step."""

    def __init__(self, noise_model_cfg: OrientationNoiseCfg, num_envs: int, device: str):
        super().__init__(noise_model_cfg, num_envs, device)
        self.bias = torch.zeros(num_envs, 3, device=device)
        """Rotation vector of each env's constant error [rad], shape [num_envs, 3]."""
        self.reset()

    def reset(self, env_ids: Sequence[int] | None = None) -> None:
        """Draw the constant error of envs anew."""
        rows = slice(None) if env_ids is None else env_ids
        cfg = self._noise_model_cfg.bias_noise_cfg
        self.bias[rows] = cfg.func(torch.zeros_like(self.bias[rows]), cfg)

    def __call__(self, data: Tensor) -> Tensor:
        """Turn observations of shape [num_envs, 6]."""
        cfg = self._noise_model_cfg.noise_cfg
        return turned_columns(data, cfg.func(self.bias, cfg))
