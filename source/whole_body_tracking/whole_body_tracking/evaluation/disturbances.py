"""Disturbances of a rollout: functions of environment, step and actions, called before each step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper


def pushing_at(step: int, step_dt: float, first: float, period: float, duration: float) -> int | None:
    """Number of the push that acts during a step, or None.

    Args:
        step: Index of the step.
        step_dt: Duration of a step [s].
        first: When the first push begins [s].
        period: Time from one push's begin to the next [s].
        duration: How long a push lasts [s].
    """
    steps_since_first = step - round(first / step_dt)
    if steps_since_first < 0:
        return None
    push, within = divmod(steps_since_first, round(period / step_dt))
    return push if within < round(duration / step_dt) else None


class Push:
    """A horizontal force on a body, in a new random direction in each env at each push."""

    def __init__(self, body_name: str, force: float, duration: float, period: float, first: float = 1.0, seed: int = 0):
        """Choose body, force and timing.

        Args:
            body_name: Body whose centre of mass is pushed.
            force: [N]
            duration: [s]
            period: Time from one push's begin to the next [s].
            first: When the first push begins [s].
            seed: Of the directions.
        """
        self._body_name, self._force, self._seed = body_name, force, seed
        self._timing = {"first": first, "period": period, "duration": duration}
        self._current: int | None = None

    def __call__(self, env: RslRlVecEnvWrapper, step: int, actions: Tensor) -> Tensor:
        push = None if step == 0 else pushing_at(step, env.unwrapped.step_dt, **self._timing)
        if push != self._current or step == 0:
            self._current = push
            self._apply(env, torch.zeros(env.num_envs, 3) if push is None else self._forces(env.num_envs, push))
        return actions

    def _forces(self, num_envs: int, push: int) -> Tensor:
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + push)
        angle = 2.0 * math.pi * torch.rand(num_envs, generator=generator)
        return self._force * torch.stack((angle.cos(), angle.sin(), torch.zeros_like(angle)), dim=-1)

    def _apply(self, env: RslRlVecEnvWrapper, forces: Tensor) -> None:
        robot = env.unwrapped.scene["robot"]
        forces = forces.to(env.device)[:, None].contiguous()
        robot.permanent_wrench_composer.set_forces_and_torques_index(
            forces=forces,
            torques=torch.zeros_like(forces),
            body_ids=robot.find_bodies(self._body_name)[0],
            is_global=True,
        )
