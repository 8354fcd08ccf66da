"""Runs of a selector over a course each, counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from tensordict import TensorDict
from torch import Tensor

from .env import CourseEnv

Selector = Callable[[TensorDict], Tensor]
"""From observations to actions."""


@dataclass(frozen=True)
class CourseResult:
    """What became of the first course of every robot."""

    finished: Tensor
    """Which reached all points in order and then performed the clip, shape [num_envs]."""
    fell: Tensor
    """Which fell, shape [num_envs]."""
    reached: Tensor
    """Points reached, shape [num_envs]."""
    seconds: Tensor
    """Time until the end, to a decision's length [s], shape [num_envs]."""

    def as_json(self) -> dict[str, float | int | None]:
        """Numbers of all runs; times are those of the finished ones."""
        num, times = len(self.finished), self.seconds[self.finished]
        return {
            "runs": num,
            "finished": int(self.finished.sum()),
            "finished_share": float(self.finished.float().mean()),
            "fell": int(self.fell.sum()),
            "out_of_time": int((~self.finished & ~self.fell).sum()),
            "goals_reached": float(self.reached.float().mean()),
            "seconds_median": float(times.median()) if len(times) else None,
        }


@torch.inference_mode()
def run_courses(env: CourseEnv, selector: Selector, report: Callable[[int], None] = lambda left: None) -> CourseResult:
    """Let every robot of an environment run one course.

    Args:
        env: Its robots are put to new starts.
        selector: Chooses.
        report: Called with the number of robots still on their way, at each decision.
    """
    env.reset_all()
    going = torch.ones(env.num_envs, dtype=torch.bool)
    finished, fell = torch.zeros_like(going), torch.zeros_like(going)
    reached, seconds = torch.zeros(env.num_envs, dtype=torch.long), torch.zeros(env.num_envs)
    observations = env.get_observations()
    for _ in range(env.max_episode_length):
        observations, _, done, extras = env.step(selector(observations))
        seconds += going * env.step_dt
        reached = torch.where(going, extras["reached"], reached)
        finished, fell = finished | (going & extras["finished"]), fell | (going & extras["fell"])
        going = going & ~done
        report(int(going.sum()))
        if not going.any():
            break
    return CourseResult(finished, fell, reached, seconds)
