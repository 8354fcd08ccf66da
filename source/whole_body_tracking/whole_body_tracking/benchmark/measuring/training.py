"""PPO end to end through the project's runner."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from whole_body_tracking.rl.runner import TrackingRunner

from .clock import timing_of

if TYPE_CHECKING:
    from isaaclab_rl.rsl_rl import RslRlOnPolicyRunnerCfg, RslRlVecEnvWrapper

MIN_ITERATIONS = 2


@dataclass
class TrainingRates:
    """One network's training, one entry per iteration."""

    steps_per_s: list[float] = field(default_factory=list)
    """Environment steps per second, collecting and updating together."""
    collect: list[float] = field(default_factory=list)
    """Time to collect a rollout [s]."""
    update: list[float] = field(default_factory=list)
    """Time of PPO's update [s]."""


class TrainingProbe:
    """Trains one network, an iteration at a time, and writes nothing."""

    def __init__(self, env: RslRlVecEnvWrapper, agent_cfg: RslRlOnPolicyRunnerCfg):
        """Build the runner and train one iteration to warm up."""
        self._env, self._steps = env, agent_cfg.num_steps_per_env * env.num_envs
        self._runner = TrackingRunner(env, agent_cfg.to_dict(), log_dir=None, device=agent_cfg.device)
        self._runner.logger.quiet = True
        self._runner.after_iteration = self._note
        self._row: dict[str, float] = {}
        self._runner.learn(1, init_at_random_ep_len=True)
        self.rates = TrainingRates()

    def iterate(self) -> None:
        """Train one iteration and note how long its parts took."""
        duration = timing_of(lambda: self._runner.learn(1), self._env.device).wall
        self.rates.steps_per_s.append(self._steps / duration)
        self.rates.collect.append(self._row["collect_time"])
        self.rates.update.append(self._row["learn_time"])

    def _note(self, iteration: int, row: dict[str, float]) -> None:
        self._row = row


def network_name(agent_cfg: RslRlOnPolicyRunnerCfg) -> str:
    """Hidden layers of the actor, such as ``512x256x128``."""
    return "x".join(str(width) for width in agent_cfg.actor.hidden_dims)


def measure_training(
    env: RslRlVecEnvWrapper, agents: list[RslRlOnPolicyRunnerCfg], seconds: float
) -> dict[str, TrainingRates]:
    """Train several networks in turns, one iteration each.

    Args:
        env: Environment, wrapped for rsl_rl.
        agents: Agent config of each network.
        seconds: Budget [s]; at least :data:`MIN_ITERATIONS` iterations of each are made.

    Returns:
        Rates by the network's name.
    """
    deadline = time.monotonic() + seconds
    probes = {network_name(agent): TrainingProbe(env, agent) for agent in agents}
    rounds = 0
    while rounds < MIN_ITERATIONS or time.monotonic() < deadline:
        for probe in probes.values():
            probe.iterate()
        rounds += 1
    return {name: probe.rates for name, probe in probes.items()}
