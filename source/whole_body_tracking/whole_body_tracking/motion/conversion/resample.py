"""Change of rate, and velocities by finite differences."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import torch
from torch import Tensor

from ..channels import Interpolation, report_dropped
from ..geometry.rotations import quat_conjugate, quat_log, quat_mul, quat_slerp
from .readers import RawMotion

TIME_TOLERANCE = 1e-6
"""The last frame is kept when it lies this close to a point of the new grid [s]."""


def num_resampled_frames(num_frames: int, fps_in: float, fps_out: float) -> int:
    """Frames on the new grid: up to the last input frame, never beyond it."""
    duration = (num_frames - 1) / fps_in
    return math.floor((duration + TIME_TOLERANCE) * fps_out) + 1


def resample(motion: RawMotion, fps: float) -> RawMotion:
    """Interpolate a motion at another rate: slerp along the shorter arc for orientations, linear for the rest.

    Channels are interpolated as they declare; those that cannot be are dropped with a log message.

    Raises:
        ValueError: If the rate is not positive, or so low that fewer than two frames would be left.
    """
    if not fps > 0:
        raise ValueError(f"The output rate is {fps} fps, but a rate is positive.")
    if fps == motion.fps:
        return motion
    num_frames = num_resampled_frames(motion.num_frames, motion.fps, fps)
    if num_frames < 2:
        raise ValueError(
            f"A motion of {motion.duration:.3g} s has {num_frames} frame at {fps} fps, expected at least 2."
            " Select more frames or raise the output rate."
        )
    phase = torch.arange(num_frames, dtype=torch.float64) * (motion.fps / fps)
    phase = torch.where((phase - phase.round()).abs() < TIME_TOLERANCE * motion.fps, phase.round(), phase)
    return dataclasses.replace(
        motion,
        fps=float(fps),
        root_pos=_at(phase, motion.root_pos, "linear"),
        root_quat=_at(phase, motion.root_quat, "spherical"),
        joint_pos=_at(phase, motion.joint_pos, "linear"),
        channels=_resampled_channels(motion, phase),
    )


def _resampled_channels(motion: RawMotion, phase: Tensor) -> dict[str, np.ndarray]:
    kinds = {name: motion.channel_declarations[name].interpolation for name in motion.channels}
    kept = {name: _at(phase, v, kinds[name]) for name, v in motion.channels.items() if kinds[name] != "none"}
    report_dropped(
        motion.source.get("file", "motion"), "channels", kinds.keys() - kept.keys(), "its frame rate or speed changes"
    )
    return kept


def _at(phase: Tensor, values: np.ndarray, interpolation: Interpolation) -> np.ndarray:
    """Values at frame numbers that may lie between two frames, shape [len(phase), ...]."""
    values = torch.as_tensor(values, dtype=torch.float64)
    if interpolation == "nearest":
        return values[(phase + 0.5).floor().long().clamp(max=len(values) - 1)].numpy()
    start = phase.long().clamp(max=len(values) - 2)
    alpha = (phase - start).clamp(max=1.0).reshape(-1, *[1] * (values.dim() - 1))
    blend = quat_slerp if interpolation == "spherical" else torch.lerp
    return blend(values[start], values[start + 1], alpha).numpy()


def linear_velocity(values: Tensor, fps: float) -> Tensor:
    """Central differences along the first dimension, one-sided at both ends; works for positions and angles.

    Args:
        values: Samples, shape [num_frames, ...], at least two frames.
        fps: Frames per second.
    """
    velocity = torch.empty_like(values)
    velocity[1:-1] = (values[2:] - values[:-2]) * (0.5 * fps)
    velocity[0] = (values[1] - values[0]) * fps
    velocity[-1] = (values[-1] - values[-2]) * fps
    return velocity


def angular_velocity(quat: Tensor, fps: float) -> Tensor:
    """World-frame angular velocity by central differences: log(q[t+1] q[t-1]^-1) fps / 2, one-sided at both ends.

    Args:
        quat: Orientations (x, y, z, w), shape [num_frames, ..., 4], at least two frames; the sign is free.
        fps: Frames per second. Turns of more than pi in two frames cannot be told from shorter ones.

    Returns:
        Angular velocities [rad/s], shape [num_frames, ..., 3].
    """
    previous = torch.cat((quat[:1], quat[:-2], quat[-2:-1]))
    following = torch.cat((quat[1:2], quat[2:], quat[-1:]))
    velocity = quat_log(quat_mul(following, quat_conjugate(previous))) * (0.5 * fps)
    velocity[0] *= 2.0
    velocity[-1] *= 2.0
    return velocity
