"""Drives an environment with small random actions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

from .clock import synchronize

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

ACTION_STD = 0.25
"""Standard deviation of the random actions: what training starts with on a CPU."""

NUM_DRAWN = 64
"""Actions drawn beforehand, so that drawing them is not measured."""


class RandomActionDriver:
    """Steps an environment, or its simulation alone, with actions drawn beforehand."""

    def __init__(self, env: ManagerBasedRLEnv, seed: int = 0):
        """Draw the actions and reset the environment."""
        self.env = env
        generator = torch.Generator().manual_seed(seed)
        shape = (NUM_DRAWN, env.num_envs, env.action_manager.total_action_dim)
        self._actions = (ACTION_STD * torch.randn(shape, generator=generator)).to(env.device)
        self._next = 0
        with torch.inference_mode():
            env.reset()

    def step_environment(self, num_steps: int) -> None:
        """Full environment steps, resets included."""
        with torch.inference_mode():
            for _ in range(num_steps):
                self.env.step(self._action())

    def step_physics(self, num_steps: int) -> None:
        """Control steps of the simulation without MDP: write targets, simulate, update the scene's buffers."""
        env = self.env
        per_call = env.cfg.decimation if env._physics_handles_decimation else 1
        with torch.inference_mode():
            for _ in range(num_steps):
                env.action_manager.process_action(self._action())
                for _ in range(env.cfg.decimation // per_call):
                    env.action_manager.apply_action()
                    env.scene.write_data_to_sim()
                    env.sim.step(render=False)
                    env.scene.update(dt=env.physics_dt * per_call)

    def warm_up(self, seconds: float, max_steps: int = 60) -> float:
        """Step until episodes are well mixed or time is up; returns the duration of the later steps [s/step]."""
        self.step_environment(2)
        synchronize(self.env.device)
        started, num_steps = time.perf_counter(), 0
        while num_steps < max_steps and (num_steps == 0 or time.perf_counter() - started < seconds):
            self.step_environment(1)
            synchronize(self.env.device)
            num_steps += 1
        return (time.perf_counter() - started) / num_steps

    def _action(self) -> torch.Tensor:
        self._next = (self._next + 1) % NUM_DRAWN
        return self._actions[self._next]
