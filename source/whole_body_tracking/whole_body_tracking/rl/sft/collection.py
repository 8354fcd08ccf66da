"""Rounds of collecting: someone acts in the environment, and the expert says what it would have done."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor

from .bridge import MujocoBridge
from .dataset import SampleFile

if TYPE_CHECKING:
    from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper
    from tensordict import TensorDict

MAX_ACTION = 5.0
"""Largest action that is learned, in action units: what an expert wants beyond it, of a robot nearly lost, is noise."""


class Expert(Protocol):
    """Says what to do in any state near a clip."""

    def label(self, states: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """Joint targets [rad], shape [num_envs, num_joints], for states [num_envs, nq + nv] at frames [num_envs]."""
        ...


@dataclass
class RoundResult:
    """What happened in a round."""

    num_rows: int = 0
    num_failures: int = 0
    """Episodes that ended otherwise than by their end."""
    num_finished: int = 0
    """Episodes that ended with their clip or their time."""
    seconds: float = 0.0
    """Robot time, over all envs [s]."""

    @property
    def seconds_per_failure(self) -> float:
        """Robot time per failure [s]."""
        return self.seconds / max(1, self.num_failures)


class Collector:
    """Steps an environment and writes what its robots saw and what the expert would have done."""

    def __init__(self, env: RslRlVecEnvWrapper, expert: Expert, samples: SampleFile, seed: int):
        self.env, self.expert, self.samples = env, expert, samples
        self.bridge = MujocoBridge(env.unwrapped)
        self._generator = torch.Generator(device="cpu").manual_seed(seed)
        motion = self.bridge.motion
        frames = spread_starts(env.num_envs, int(motion.last_frames[0])).to(env.device)
        motion.fixed_start = (torch.zeros_like(frames), frames)
        env.reset()

    def collect(
        self,
        round_index: int,
        num_rows: int,
        student: Callable[[TensorDict], Tensor] | None = None,
        noise: float = 0.0,
        deadline: float = float("inf"),
        report: Callable[[float], None] = lambda share: None,
    ) -> RoundResult:
        """Collect a round.

        Args:
            round_index: Its number, which is stored with its rows.
            num_rows: Rows to add.
            student: Who acts; None lets the expert act.
            noise: Standard deviation of noise on the actions that are taken, in action units; labels have none.
            deadline: ``time.monotonic`` at which to stop early.
            report: Called with the share of rows collected.
        """
        result, obs = RoundResult(), self.env.get_observations()
        with torch.no_grad():
            while result.num_rows < num_rows and time.monotonic() < deadline:
                frames = self.bridge.frames
                wanted = self.bridge.actions(self.expert.label(self.bridge.states(), frames), frames)
                wanted = np.nan_to_num(wanted).clip(-MAX_ACTION, MAX_ACTION).astype(np.float32)
                self.samples.append(obs["policy"].cpu().numpy(), wanted, frames, round_index)
                labels = torch.from_numpy(wanted).to(self.env.device)
                obs = self._step(labels if student is None else student(obs), noise, result)
                result.num_rows += len(frames)
                report(min(1.0, result.num_rows / num_rows))
        return result

    def _step(self, actions: Tensor, noise: float, result: RoundResult) -> TensorDict:
        shake = noise * torch.randn(actions.shape, generator=self._generator)
        obs, _, dones, extras = self.env.step(actions + shake.to(actions.device))
        ended, in_time = int(dones.sum()), int((extras["time_outs"].bool() & (dones > 0)).sum())
        result.num_failures += ended - in_time
        result.num_finished += in_time
        result.seconds += len(dones) * self.env.unwrapped.step_dt
        return obs


def spread_starts(num_envs: int, last_frame: int) -> Tensor:
    """Start frame of every env, shape [num_envs]: half of them begin with the clip, the others spread over it.

    Every env plays to the end of its clip, so with starts spread evenly a clip's first frames would be seen by those
    alone that start there: on the squat 62 of 16,000 samples were of the first tenth.
    """
    num_spread = num_envs // 2
    spread = torch.linspace(0.0, max(0, last_frame - 1), num_spread + 1)[:-1].long()
    return torch.cat((torch.zeros(num_envs - num_spread, dtype=torch.long), spread))
