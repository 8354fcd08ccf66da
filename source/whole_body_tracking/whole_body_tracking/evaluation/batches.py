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


@dataclass
class Rollouts:
    """What all rollouts of an evaluation did, in their own order."""

    measured: RolloutMetrics
    recordings: list[Recording]
    """One recording of one rollout each, cut to what was played of its clip: about 2 kB a step."""

    @property
    def clip_ids(self) -> Tensor:
        """Clip of each rollout, shape [num_rollouts]."""
        return torch.cat([recording.clip_ids for recording in self.recordings])


def plan_rollouts(num_clips: int, num_rollouts: int) -> Tensor:
    """Clip of each rollout, shape [>= num_rollouts]: every clip equally often, the first repeat of all clips first.

    Args:
        num_clips: Number of clips.
        num_rollouts: Rollouts to make at least.
    """
    repeats = max(1, -(-num_rollouts // num_clips))
    return torch.arange(num_clips).repeat(repeats)


def plan_batches(num_steps: Tensor, num_worlds: int) -> list[Tensor]:
    """Rollouts of each batch, as indices; the longest first, so that those that run together end together.

    Args:
        num_steps: Steps of each rollout, shape [num_rollouts].
        num_worlds: Worlds to run them in; the last batch may leave some without a rollout.
    """
    if num_worlds >= len(num_steps):
        return [torch.arange(len(num_steps))]
    order = torch.sort(num_steps, descending=True, stable=True).indices
    return list(order.split(num_worlds))


def run_rollouts(
    env: RslRlVecEnvWrapper,
    policy: Callable[[Tensor], Tensor],
    clip_ids: Tensor,
    seed: int,
    judge: Callable[[Recording], RolloutMetrics],
    disturb: Disturbance | None = None,
    early_stop: EarlyStop | None = None,
    numbers: Tensor | None = None,
) -> Rollouts:
    """Play and measure every rollout.

    Args:
        env: Environment made from :func:`~.rollout.configure_evaluation`'s config, with any number of worlds.
        policy: Maps observations to actions.
        clip_ids: Clip of each rollout, shape [num_rollouts].
        seed: Seed of the start noise; rollout i starts the same way whatever runs beside it.
        judge: Measures a recording.
        disturb: Acts on the environment or the actions before each step.
        early_stop: Says which rollouts to stop before their end; None stops none.
        numbers: Number of each rollout among all of an evaluation that is played in parts, shape [num_rollouts]; its
            start noise follows from it. None means 0, 1, 2, ...
    """
    numbers = torch.arange(len(clip_ids)) if numbers is None else numbers
    num_steps = env.unwrapped.command_manager.get_term("motion").last_frames.cpu()[clip_ids]
    batches = plan_batches(num_steps, env.num_envs)
    recordings = {}
    for rollouts in batches:
        recording = roll_out(env, policy, _batch(rollouts, clip_ids, numbers, seed, env), disturb, early_stop)
        recordings |= {int(rollout): recording.rollout(world) for world, rollout in enumerate(rollouts)}
    ordered = [recordings[index] for index in range(len(clip_ids))]
    # One by one: the rounding of a sum over steps depends on what else is in the tensor.
    return Rollouts(RolloutMetrics.concatenate([judge(recording) for recording in ordered]), ordered)


def _batch(rollouts: Tensor, clip_ids: Tensor, numbers: Tensor, seed: int, env: RslRlVecEnvWrapper) -> Batch:
    """Give each rollout a world; the worlds that are left repeat the last rollout and are not used."""
    padded = torch.cat((rollouts, rollouts[-1:].expand(env.num_envs - len(rollouts))))
    used = torch.arange(env.num_envs) < len(rollouts)
    seeds = seed * 1_000_003 + numbers[padded]
    return Batch(clip_ids[padded].to(env.device), seeds, used.to(env.device))
