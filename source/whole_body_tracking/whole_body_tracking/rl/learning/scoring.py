"""Score of a policy in the environment that it is trained in: every env plays a clip once from frame 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper
from tensordict import TensorDict
from torch import Tensor

from whole_body_tracking.tasks.tracking.mdp.commands import MotionCommand
from whole_body_tracking.tasks.tracking.task_reference import motion_of
from whole_body_tracking.tasks.tracking.tracking_env_cfg import KERNELS
from whole_body_tracking.tracking.criteria import SMALL_PERTURBATION
from whole_body_tracking.tracking.errors import tracking_errors

from .ranks import num_ranks, rank, sum_over_ranks

CHECKED_EVERY = 25
"""Steps after which a scoring asks whether any rollout still runs."""


@dataclass(frozen=True)
class Score:
    """Outcome of the rollouts of one scoring."""

    finished: int
    """Rollouts that reached their clip's end, or the episode's longest time, without a termination."""
    rollouts: int
    tracking: float
    """Tracking rewards as a share of their maximum, mean over the steps of all rollouts, in [0, 1]."""
    r_mpkpe_cm: float
    """Mean distance of re-anchored bodies over the same steps but for those that end a rollout [cm]."""

    def is_accepted(self, share: float, tracking: float) -> bool:
        """Whether enough rollouts finish, and follow closely enough."""
        return self.finished >= share * self.rollouts and self.tracking >= tracking


class Scorer:
    """Plays the task's own clips with the evaluation's small start noise; the sampler's statistics stay as they are."""

    def __init__(self, env: RslRlVecEnvWrapper, act: Callable[[TensorDict], Tensor]):
        """Prepare to score.

        Args:
            env: Environment of a task whose reference is clips.
            act: Actions of shape [num_envs, num_actions] for the environment's observations, without noise.

        Raises:
            ValueError: If the task has none of the tracking rewards.
        """
        self.env, self.act, self.motion = env, act, motion_of(env)
        manager = env.unwrapped.reward_manager
        names = [name for name in manager.active_terms if hasattr(KERNELS, name)]
        if not names:
            raise ValueError(f"The task has no tracking rewards to score a policy by: {list(manager.active_terms)}.")
        self._columns = torch.tensor([manager.active_terms.index(name) for name in names], device=env.device)
        self._total = sum(manager.get_term_cfg(name).weight for name in names)

    @torch.no_grad()
    def score(self) -> Score:
        """Reset all envs, play each once, and reset them again for training; counts those of all processes.

        With more clips than envs there are as many rounds as it takes to play each clip once.
        """
        played = num_ranks() * self.env.num_envs
        num_rounds = -(-self.motion.library.num_clips // played)
        counts = torch.zeros(2, dtype=torch.long, device=self.env.device)
        sums = torch.zeros(4, device=self.env.device)  # tracking, its steps, distance, its steps
        for index in range(num_rounds):
            self._play(index * played + rank() * self.env.num_envs, counts, sums)
        finished, rollouts = sum_over_ranks(counts).tolist()
        sum_over_ranks(sums)
        tracking, distance = (sums[0::2] / sums[1::2].clamp(min=1.0)).tolist()
        return Score(finished, rollouts, tracking, 100.0 * distance)

    def _play(self, first_clip: int, counts: Tensor, sums: Tensor) -> None:
        """Play a round, and add to the finished and played rollouts and to the sums of :meth:`score`."""
        env, motion = self.env.unwrapped, self.motion
        with _from_frame_0(self.env, motion, first_clip):
            num_steps = int(motion.clock.last.max())
            obs = self.env.get_observations()
            alive = torch.ones(self.env.num_envs, dtype=torch.bool, device=self.env.device)
            failed = torch.zeros_like(alive)
            for step in range(num_steps):
                if step % CHECKED_EVERY == 0 and not alive.any():
                    break
                actions, ref = self.act(obs), motion.reference_bodies  # of the frame that this step should reach
                obs, _, dones, _ = self.env.step(actions)
                kernels = env.reward_manager._step_reward[:, self._columns].sum(-1) / self._total
                ended = alive & (dones > 0)
                failed |= ended & env.termination_manager.terminated
                sums[:2] += _sum_and_count(kernels, alive)
                alive &= ~ended
                errors = tracking_errors(ref, motion.robot_bodies, motion.anchor_idx)
                sums[2:] += _sum_and_count(errors.body_pos.sqrt().mean(-1), alive)
        counts += torch.stack(((~failed).sum(), torch.ones_like(failed).sum()))


def _sum_and_count(values: Tensor, counts: Tensor) -> Tensor:
    return torch.stack((torch.where(counts, values, 0.0).sum(), counts.sum()))


@contextmanager
def _from_frame_0(env: RslRlVecEnvWrapper, motion: MotionCommand, first_clip: int) -> Iterator[None]:
    """Start every env at frame 0 of a clip, with an evaluation's noise, and afterwards as in training.

    Clips come in turn from ``first_clip`` on, the first one again after the last.

    What the sampler sees meanwhile is dropped, and the steps are not counted, so no schedule moves on.
    """
    clips = (first_clip + torch.arange(motion.num_envs, device=motion.device)) % motion.library.num_clips
    before = {name: getattr(motion.cfg, name) for name in SMALL_PERTURBATION}
    was_frozen, motion.sampler.frozen = motion.sampler.frozen, True
    motion.fixed_start = (clips, torch.zeros_like(clips))
    num_steps = env.unwrapped.common_step_counter
    for name, value in SMALL_PERTURBATION.items():
        setattr(motion.cfg, name, value)
    try:
        env.reset()
        yield
    finally:
        motion.fixed_start = None
        for name, value in before.items():
            setattr(motion.cfg, name, value)
        env.unwrapped.common_step_counter = num_steps
    env.reset()
    motion.sampler.update()
    motion.sampler.frozen = was_frozen
