"""Configuration of the motion command."""

from __future__ import annotations

from dataclasses import MISSING
from typing import TYPE_CHECKING, Literal

from isaaclab.managers import CommandTermCfg
from isaaclab.utils import configclass

from .sampling import StartStrategy

if TYPE_CHECKING:
    from .commands import MotionCommand

ClipEnd = Literal["truncate", "resample", "hold"]


@configclass
class MotionCommandCfg(CommandTermCfg):
    """What to track and where episodes start."""

    class_type: type[MotionCommand] | str = "{DIR}.commands:MotionCommand"

    resampling_time_range: tuple[float, float] = (1.0e9, 1.0e9)
    """Unused: a command lasts until its clip or its episode ends."""

    asset_name: str = MISSING
    """Name of the robot in the scene."""

    motion_files: list[str] = MISSING
    """Clips to track: NPZ files, folders or globs. Their rate must equal the control rate."""

    anchor_body_name: str = MISSING
    """Body that places and heads the reference relative to the robot."""

    body_names: list[str] = MISSING
    """Bodies whose poses and velocities are tracked, matched by name."""

    clip_end: ClipEnd = "truncate"
    """What happens after a clip's last frame: ``truncate`` ends the episode as a time-out, so that the value is
    bootstrapped; ``resample`` moves the robot to a new start without ending the episode, as BeyondMimic does;
    ``hold`` keeps the last frame."""

    start_sampling: StartStrategy = "adaptive"
    """Where episodes start: see :class:`~.sampling.StartSampler`."""

    adaptive_bin_duration: float = 1.0
    """Length of a sampling bin [s]."""

    adaptive_uniform_ratio: float = 0.1
    """Share of starts drawn uniformly over bins, in [0, 1]. Raise it if early frames stop being visited."""

    adaptive_alpha: float = 0.001
    """Weight of the newest step in the failure and visit averages. Raise it to forget old failures sooner."""

    adaptive_kernel_size: int = 1
    """Number of bins, counted forward, whose failures a start answers for."""

    adaptive_lambda: float = 0.8
    """Decay of the kernel from one bin to the next."""

    pose_range: dict[str, tuple[float, float]] = {}
    """Uniform noise on the root pose at a start: x, y, z [m], roll, pitch, yaw [rad]; a missing key means none."""

    velocity_range: dict[str, tuple[float, float]] = {}
    """Uniform noise on the root velocity at a start: x, y, z [m/s], roll, pitch, yaw [rad/s]."""

    joint_position_range: tuple[float, float] = (0.0, 0.0)
    """Uniform noise on joint positions at a start [rad], clipped to the soft limits."""
