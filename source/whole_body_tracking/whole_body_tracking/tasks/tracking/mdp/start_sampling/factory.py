"""The start sampler that a motion command's config asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.motion.analysis.difficulty import difficulties
from whole_body_tracking.robots import get_robot

from .curriculum import ClipCurriculum, completed_difficulties
from .sampler import StartSampler

if TYPE_CHECKING:
    from whole_body_tracking.motion import MotionLibrary
    from whole_body_tracking.motion.sources.motion_entries import MotionEntry

    from ..commands_cfg import MotionCommandCfg


def make_sampler(
    cfg: MotionCommandCfg, library: MotionLibrary, entries: Sequence[MotionEntry], step_dt: float, robot_name: str
) -> StartSampler:
    """Build the sampler.

    Args:
        cfg: Config of the command.
        library: The clips.
        entries: What the manifest says of each clip.
        step_dt: Duration of an environment step [s].
        robot_name: Name of the robot that moves.

    Raises:
        ValueError: If a number is out of range, or all weights are zero.
    """
    sampler = StartSampler(
        library.num_frames,
        frames_per_bin=max(1, round(cfg.adaptive_bin_duration / step_dt)),
        strategy=cfg.start_sampling,
        uniform_ratio=cfg.adaptive_uniform_ratio,
        alpha=cfg.adaptive_alpha,
        kernel_size=cfg.adaptive_kernel_size,
        kernel_lambda=cfg.adaptive_lambda,
        clip_shares=_shares(cfg, library, entries),
        curriculum=_curriculum(cfg, library, entries, robot_name),
        max_clip_probability=cfg.max_clip_probability,
    )
    sampler.frozen = cfg.freeze_sampling
    return sampler


def _shares(cfg: MotionCommandCfg, library: MotionLibrary, entries: Sequence[MotionEntry]) -> Tensor | None:
    if cfg.clip_sampling == "uniform":
        return torch.ones_like(library.durations)
    if cfg.clip_sampling == "duration":
        return library.durations
    if cfg.clip_sampling == "weight":
        weights = torch.tensor([entry.weight for entry in entries], device=library.num_frames.device)
        if not weights.any():
            raise ValueError("All motions have weight 0 in the manifest: nothing would be drawn.")
        return weights
    return None


def _curriculum(
    cfg: MotionCommandCfg, library: MotionLibrary, entries: Sequence[MotionEntry], robot_name: str
) -> ClipCurriculum | None:
    if cfg.clip_sampling != "curriculum":
        return None
    given = [entry.difficulty for entry in entries]
    computed = difficulties(library, get_robot(robot_name)).tolist() if None in given else [0.0] * len(given)
    values = torch.tensor(completed_difficulties(given, computed), device=library.num_frames.device)
    return ClipCurriculum(values, cfg.curriculum_steps, cfg.curriculum_max_failure)
