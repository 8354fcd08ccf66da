"""PPO on the human task."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from whole_body_tracking.rl.learning.budget import TrainingBudget
from whole_body_tracking.rl.run.native_runner import NativePpoSettings, NativeRunner

from .env import TASK, HumanTrackingEnv


@dataclass(frozen=True)
class PpoSettings(NativePpoSettings):
    """PPO for two cores: little noise about what the task does without a policy."""

    max_iterations: int = 1000
    hidden: tuple[int, ...] = (256, 128)
    learning_rate: float = 3.0e-4
    """Fixed. The KL divergence adds up over all actions, so an adaptive one falls to its least within an iteration."""
    initial_std: float = 0.3
    """Of actions; in torques or excitations it is this times the environment's action scale."""
    gamma: float = 0.98


class HumanRunner(NativeRunner):
    """Training starts at actions of zero."""

    def __init__(self, env: HumanTrackingEnv, settings: PpoSettings, folder: Path | None, motion: str):
        """Build networks and logger.

        Args:
            env: The task.
            settings: Of PPO.
            folder: Where the run goes; None writes nothing.
            motion: Its name. A checkpoint is continued with this motion, rate, length and kind of action alone.
        """
        reference = env.reference
        facts = {"motion": motion, "fps": float(reference.fps), "num_frames": int(reference.num_frames)}
        facts["action"] = env.cfg.action
        budget = TrainingBudget(settings.max_iterations, settings.max_minutes)
        super().__init__(env, settings.as_rsl_rl(), folder, TASK, budget, facts)
        with torch.no_grad():
            last = [each for each in self.alg.actor.modules() if isinstance(each, torch.nn.Linear)][-1]
            last.weight.zero_()
            last.bias.zero_()


@torch.inference_mode()
def evaluate(env: HumanTrackingEnv, policy) -> dict[str, float]:
    """Play the motion from its first frame, in every body of an environment with ``random_starts`` off.

    Returns:
        ``survived``: share of the motion before a failure; ``finished``: share of bodies without one; ``tracking``:
        mean of the tracking kernels over the whole motion, 0 after a failure; ``effort``: mean squared excitation.
    """
    env.reset_all()
    alive = torch.ones(env.num_envs, dtype=torch.bool)
    steps, tracking, effort = (torch.zeros(env.num_envs) for _ in range(3))
    observations = env.get_observations()
    for _ in range(env.max_episode_length):
        actions = policy(observations)
        squared = env.excitation(actions).square().mean(-1)
        observations, reward, done, extras = env.step(actions)
        alive = alive & ~(done & ~extras["time_outs"])
        steps += alive
        tracking += alive * (reward + env.cfg.effort_weight * squared)
        effort += alive * squared
    length = env.max_episode_length
    return {
        "survived": float(steps.mean() / length),
        "finished": float(alive.float().mean()),
        "tracking": float(tracking.mean() / length),
        "effort": float((effort / steps.clamp(min=1)).mean()),
    }
