"""Real steps of the policy in the environment, into the buffer."""

from __future__ import annotations

from dataclasses import dataclass

from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper
from rsl_rl.utils.logger import Logger
from torch import Tensor

from whole_body_tracking.tasks.tracking.task_reference import motion_of

from .environment import joint_targets, robot_states
from .imagining.buffer import StepBuffer
from .learner import Learner


@dataclass(frozen=True)
class Situation:
    """What there is when the policy acts."""

    state: Tensor
    last_action: Tensor
    clip_ids: Tensor
    frames: Tensor
    is_held: Tensor
    """Whether the reference stands still past its clip's end."""


class Collector:
    """Steps an environment with the policy's noisy actions."""

    def __init__(self, env: RslRlVecEnvWrapper, learner: Learner, buffer: StepBuffer, logger: Logger):
        self.env, self.learner, self.buffer, self._logger = env, learner, buffer, logger
        self.motion = motion_of(env)
        self._endings = env.unwrapped.termination_manager

    def collect(self, num_steps: int, keep: list[Tensor] | None = None) -> None:
        """Step all envs.

        Args:
            num_steps: Steps of each.
            keep: List that gets the observations of each step.
        """
        obs = self.env.get_observations()[self.learner.group]
        for _ in range(num_steps):
            if keep is not None:
                keep.append(obs.clone())
            now, actions = self._situation(), self.learner.act(obs)
            seen, rewards, dones, extras = self.env.step(actions)
            obs = seen[self.learner.group]
            self._add(now, dones > 0)
            if "time_outs" in extras:  # a robot that falls at its clip's last frame has failed
                extras["time_outs"] = extras["time_outs"].bool() & ~self._endings.terminated
            self._logger.process_env_step(rewards, dones, extras)

    def _situation(self) -> Situation:
        env = self.env.unwrapped
        motion = self.motion
        values = robot_states(env), env.action_manager.action, motion.clip_ids, motion.frames, motion.clock.is_held
        return Situation(*(value.clone() for value in values))

    def _add(self, now: Situation, dones: Tensor) -> None:
        """Add what was before a step; the episode goes on if nobody reset it and the reference went on by a frame."""
        held = (self.motion.frames == now.frames) & self.motion.clock.is_held
        goes_on = (self.motion.clip_ids == now.clip_ids) & ((self.motion.frames == now.frames + 1) | held)
        targets = joint_targets(self.env.unwrapped)
        frames = now.frames + now.is_held  # past the end: looked up as the last frame, and never counted
        self.buffer.add(now.state, targets, now.last_action, now.clip_ids, frames, ~dones & goes_on)
