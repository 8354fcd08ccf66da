"""Configuration of sensor noise, and the noise of the ``rand_imu`` and ``rand_encoder`` presets."""

from __future__ import annotations

from dataclasses import MISSING
from typing import TYPE_CHECKING

from isaaclab.utils import configclass
from isaaclab.utils.noise import (
    GaussianNoiseCfg,
    NoiseCfg,
    NoiseModelCfg,
    NoiseModelWithAdditiveBiasCfg,
    UniformNoiseCfg,
)

if TYPE_CHECKING:
    from .sensor_noise import OrientationNoise


@configclass
class OrientationNoiseCfg(NoiseModelCfg):
    """Rotation error of an orientation observation; ``noise_cfg`` adds to its vector at every step [rad]."""

    class_type: type[OrientationNoise] | str = "{DIR}.sensor_noise:OrientationNoise"

    bias_noise_cfg: NoiseCfg = MISSING
    """What draws the part of the rotation vector that is constant within an episode, from zero [rad]."""


def bias_and_noise(bias: float, std: float) -> NoiseModelWithAdditiveBiasCfg:
    """A uniform bias within ± ``bias``, constant in an episode, and white noise of standard deviation ``std``."""
    return NoiseModelWithAdditiveBiasCfg(
        noise_cfg=GaussianNoiseCfg(std=std), bias_noise_cfg=UniformNoiseCfg(n_min=-bias, n_max=bias, operation="abs")
    )


IMU_GYRO = bias_and_noise(bias=0.05, std=0.1)
"""Angular velocity [rad/s]."""
IMU_ORIENTATION = OrientationNoiseCfg(noise_cfg=GaussianNoiseCfg(std=0.01), bias_noise_cfg=GaussianNoiseCfg(std=0.02))
"""Orientation: a degree of constant error, half of one of white noise."""
ENCODER_POS = bias_and_noise(bias=0.02, std=0.005)
"""Joint positions [rad]: an offset of the zero within an episode."""
ENCODER_VEL = GaussianNoiseCfg(std=0.3)
"""Joint velocities [rad/s]: an offset of the zero does not change them."""
