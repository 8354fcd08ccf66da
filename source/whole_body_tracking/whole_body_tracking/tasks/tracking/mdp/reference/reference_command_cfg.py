"""Configuration that every command which gives a reference has."""

from __future__ import annotations

from dataclasses import MISSING

from isaaclab.managers import CommandTermCfg
from isaaclab.utils import configclass


@configclass
class ReferenceCommandCfg(CommandTermCfg):
    """The robot, its tracked bodies, and the noise on states in which episodes start."""

    resampling_time_range: tuple[float, float] = (1.0e9, 1.0e9)
    """Unused: a reference lasts until its clip or its episode ends."""

    asset_name: str = MISSING
    """Name of the robot in the scene."""

    anchor_body_name: str = MISSING
    """Body that places and heads the reference relative to the robot."""

    body_names: list[str] = MISSING
    """Bodies whose poses and velocities are tracked, matched by name."""

    pose_range: dict[str, tuple[float, float]] = {}
    """Uniform noise on the root pose at a start: x, y, z [m], roll, pitch, yaw [rad]; a missing key means none."""

    velocity_range: dict[str, tuple[float, float]] = {}
    """Uniform noise on the root velocity at a start: x, y, z [m/s], roll, pitch, yaw [rad/s]."""

    joint_position_range: tuple[float, float] = (0.0, 0.0)
    """Uniform noise on joint positions at a start [rad], clipped to the soft limits."""
