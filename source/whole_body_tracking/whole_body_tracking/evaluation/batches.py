"""Group rollouts into batches and play them, one batch after another.

Every rollout is measured alone, so its numbers do not depend on how rollouts are grouped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .early_stop import EarlyStop
from .metrics.measure import RolloutMetrics
from .recording import Recording
from .rollout import Batch, Disturbance, roll_out

if TYPE_CHECKING:
    from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper

START_SPACING = 1.0
"""Rollouts of a clip count as independent if they start in different intervals of this length [s]."""
MIN_PLAYED = 1.0
"""Time that is left of a clip after a start that is spread over it, at least [s]."""


@dataclass
class Rollouts:
    """All rollouts of an evaluation, in the order of their plan."""

    measured: RolloutMetrics
    recordings: list[Recording]
    """One recording of one rollout each, cut to what was played of its clip: about 2 kB per step."""
    start_frames: Tensor
    """Frame that each rollout started at, shape [num_rollouts]."""

    @property
    def clip_ids(self) -> Tensor:
        """Clip of each rollout, shape [num_rollouts]."""
        return torch.cat([recording.clip_ids for recording in self.recordings])

    @property
    def num_independent(self) -> int:
        """Number of rollouts that differ in more than noise on their start: see :func:`num_independent_starts`."""
        return num_independent_starts(self.clip_ids, self.start_frames, self.recordings[0].step_dt)


def plan_rollouts(num_clips: int, num_rollouts: int) -> Tensor:
    """Clip of each rollout, shape [>= num_rollouts]: every clip equally often, the first repeat of all clips first.

    Args:
        num_clips: Number of clips.
        num_rollouts: Rollouts to make at least.
    """
    repeats = max(1, -(-num_rollouts // num_clips))
    return torch.arange(num_clips).repeat(repeats)


def spread_starts(clip_ids: Tensor, num_steps: Tensor, step_dt: float, seed: int) -> Tensor:
    """Start frames spread over the clips, shape [num_rollouts].

    The n rollouts of a clip start in n equal parts of it, each at a random frame of its part. The last second of a clip
    has no start, nor has the second half of one that is shorter than two seconds.

    Args:
        clip_ids: Clip of each rollout, shape [num_rollouts].
        num_steps: Steps of each rollout's whole clip, shape [num_rollouts].
        step_dt: Duration of a step [s].
        seed: Seed of the random frames.
    """
    generator = torch.Generator().manual_seed(seed)
    part = (clip_ids[:, None] == clip_ids).tril(-1).sum(1)
    num_parts = torch.bincount(clip_ids)[clip_ids]
    num_frames = torch.maximum(num_steps - round(MIN_PLAYED / step_dt), num_steps // 2).clamp(min=1)
    share = (part + torch.rand(len(clip_ids), generator=generator, dtype=torch.double)) / num_parts
    return (share * num_frames).long()


def num_independent_starts(clip_ids: Tensor, start_frames: Tensor, step_dt: float) -> int:
    """Number of different seconds of clips in which rollouts start.

    Rollouts that start in the same second of the same clip meet the same difficulties: a confidence interval that
    counted each of them would be too narrow.
    """
    seconds = (start_frames * step_dt / START_SPACING + 1e-6).long()
    return torch.unique(torch.stack((clip_ids, seconds)), dim=1).shape[1]


def plan_batches(num_steps: Tensor, num_envs: int) -> list[Tensor]:
    """Rollouts of each batch, as indices; the longest first, so that those that run together end together.

    Args:
        num_steps: Steps of each rollout, shape [num_rollouts].
        num_envs: Envs to run them in; the last batch may leave some without a rollout.
    """
    if num_envs >= len(num_steps):
        return [torch.arange(len(num_steps))]
    order = torch.sort(num_steps, descending=True, stable=True).indices
    return list(order.split(num_envs))


def run_rollouts(
    env: RslRlVecEnvWrapper,
    policy: Callable[[Tensor], Tensor],
    clip_ids: Tensor,
    start_frames: Tensor,
    seed: int,
    judge: Callable[[Recording], RolloutMetrics],
    disturb: Disturbance | None = None,
    early_stop: EarlyStop | None = None,
    numbers: Tensor | None = None,
) -> Rollouts:
    """Play and measure every rollout.

    Args:
        env: Environment made from :func:`~.rollout.configure_evaluation`'s config, with any number of envs.
        policy: Maps observations to actions.
        clip_ids: Clip of each rollout, shape [num_rollouts].
        start_frames: Frame that each rollout starts at, shape [num_rollouts].
        seed: Seed of the start noise; rollout i starts the same way whatever runs beside it.
        judge: Measures a recording.
        disturb: Acts on the environment or the actions before each step.
        early_stop: Says which rollouts to stop before their end; None stops none.
        numbers: Number of each rollout among all of an evaluation that is played in parts, shape [num_rollouts]; its
            start noise follows from it. None means 0, 1, 2, ...
    """
    numbers = torch.arange(len(clip_ids)) if numbers is None else numbers
    num_steps = env.unwrapped.command_manager.get_term("motion").last_frames.cpu()[clip_ids] - start_frames
    recordings = {}
    for rollouts in plan_batches(num_steps, env.num_envs):
        batch = _batch(rollouts, clip_ids, start_frames, numbers, seed, env)
        recording = roll_out(env, policy, batch, disturb, early_stop)
        recordings |= {int(rollout): recording.rollout(env_id) for env_id, rollout in enumerate(rollouts)}
    ordered = [recordings[index] for index in range(len(clip_ids))]
    # One by one: the rounding of a sum over steps depends on what else is in the tensor.
    return Rollouts(RolloutMetrics.concatenate([judge(recording) for recording in ordered]), ordered, start_frames)


def _batch(
    rollouts: Tensor, clip_ids: Tensor, start_frames: Tensor, numbers: Tensor, seed: int, env: RslRlVecEnvWrapper
) -> Batch:
    """Give each rollout an env; the envs that are left repeat the last rollout and are not used."""
    padded = torch.cat((rollouts, rollouts[-1:].expand(env.num_envs - len(rollouts))))
    used = torch.arange(env.num_envs) < len(rollouts)
    seeds = seed * 1_000_003 + numbers[padded]
    return Batch(clip_ids[padded].to(env.device), start_frames[padded].to(env.device), seeds, used.to(env.device))
