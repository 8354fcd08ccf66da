"""Speed and memory of a library of many clips: loading, gathering, drawing, and compact against full."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

from whole_body_tracking.motion import MotionClip, MotionLibrary
from whole_body_tracking.motion.compact_library import CompactMotionLibrary
from whole_body_tracking.motion.sources.motion_entries import resolve_entries
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.tasks.tracking.mdp.start_sampling.sampler import StartSampler

from .clock import median_milliseconds

FIELDS = ("joint_pos", "joint_vel", "body_pos_w", "body_lin_vel_w", "body_ang_vel_w")


def measure_many_motions(
    motions: Sequence[str], robot: RobotModel, num_envs: int = 4096, device: str = "cpu"
) -> dict[str, float]:
    """Measure a library with the robot's tracked bodies on one thread.

    Args:
        motions: Clips: files, folders, globs or manifests.
        robot: Whose clips they are.
        num_envs: States gathered and starts drawn at a time.
        device: Where the library lies.

    Returns:
        Durations [s, ms], sizes [MB = 10^6 bytes] and the largest differences between compact and full [SI units].
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        started = time.perf_counter()
        clips = [entry.load() for entry in resolve_entries(motions)]
        full = MotionLibrary.from_clips(clips, robot.joint_names, robot.tracked_body_names, device)
        seconds = time.perf_counter() - started
        compact = CompactMotionLibrary.from_clips(
            clips, robot.joint_names, robot.tracked_body_names, device, robot=robot
        )
        return {
            "library_clips": float(len(clips)),
            "library_duration_s": float(full.durations.sum()),
            "library_load_s": seconds,
            "library_full_mb": full.num_bytes / 1e6,
            "library_compact_mb": compact.num_bytes / 1e6,
            **_times(clips, full, compact, num_envs),
            **_differences(full, compact),
        }
    finally:
        torch.set_num_threads(threads)


def _times(clips: list[MotionClip], full: MotionLibrary, compact: MotionLibrary, num_envs: int) -> dict[str, float]:
    device = full.table.device
    sampler = StartSampler(full.num_frames, frames_per_bin=round(clips[0].fps))
    sampler.visits.fill_(1.0)
    sampler.failures.uniform_()
    clip_ids, frames = sampler.sample(num_envs)
    return {
        "library_gather_ms": median_milliseconds(lambda: full.state_at(clip_ids, frames), device),
        "library_compact_gather_ms": median_milliseconds(lambda: compact.state_at(clip_ids, frames), device),
        "library_sampling_ms": median_milliseconds(lambda: sampler.sample(num_envs), device),
    }


def _differences(full: MotionLibrary, compact: MotionLibrary, batch: int = 16384) -> dict[str, float]:
    """Largest difference over all frames, by field."""
    clips = torch.arange(full.num_clips, device=full.starts.device)
    clip_ids = clips.repeat_interleave(full.num_frames)
    frames = torch.arange(len(clip_ids), device=clip_ids.device) - full.starts[clip_ids]
    worst = dict.fromkeys(FIELDS, 0.0)
    for ids, at in zip(clip_ids.split(batch), frames.split(batch), strict=True):
        a, b = full.state_at(ids, at), compact.state_at(ids, at)
        for name in FIELDS:
            worst[name] = max(worst[name], float((getattr(a, name) - getattr(b, name)).abs().max()))
    return {f"library_compact_{name}_difference": value for name, value in worst.items()}
