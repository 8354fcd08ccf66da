"""PPO on the human task."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from whole_body_tracking.rl.learning.budget import TrainingBudget
from whole_body_tracking.rl.run.native_runner import NativeRunner

from .env import TASK, HumanTrackingEnv


@dataclass(frozen=True)
class PpoSettings:
    """PPO for two cores: small networks, little noise about the feed-forward excitations."""

    max_iterations: int = 1000
    max_minutes: float | None = None
    num_steps_per_env: int = 24
    hidden: tuple[int, ...] = (256, 128)
    learning_rate: float = 1.0e-4
    """Fixed. The KL divergence adds up over 416 actions, so an adaptive one falls to its least within an iteration."""
    initial_std: float = 0.3
    """Of actions; in excitations it is this times the environment's action scale."""
    save_interval: int = 50

    def __post_init__(self):
        for name in ("max_iterations", "num_steps_per_env", "save_interval"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1.")
        if self.max_minutes is not None and not self.max_minutes > 0.0:
            raise ValueError(f"--max_minutes is {self.max_minutes:g}, expected more than 0.")

    def as_rsl_rl(self, device: str = "cpu") -> dict:
        """The dictionary that rsl_rl takes."""
        network = {"class_name": "MLPModel", "hidden_dims": list(self.hidden), "activation": "elu"}
        network["obs_normalization"] = True
        noise = {"class_name": "GaussianDistribution", "init_std": self.initial_std, "std_type": "scalar"}
        algorithm = {
            "class_name": "PPO", "num_learning_epochs": 5, "num_mini_batches": 4, "clip_param": 0.2, "gamma": 0.97,
            "lam": 0.95, "value_loss_coef": 1.0, "use_clipped_value_loss": True, "entropy_coef": 0.0,
            "learning_rate": self.learning_rate, "max_grad_norm": 1.0, "schedule": "fixed", "desired_kl": None,
            "rnd_cfg": None, "symmetry_cfg": None,
        }  # fmt: skip
        return {
            "num_steps_per_env": self.num_steps_per_env,
            "save_interval": self.save_interval,
            "obs_groups": {"actor": ["policy"], "critic": ["policy"]},
            "actor": network | {"distribution_cfg": noise},
            "critic": dict(network),
            "algorithm": algorithm,
            "logger": "tensorboard",
            "device": device,
        }


class HumanRunner(NativeRunner):
    """Training starts at the feed-forward excitations."""

    def __init__(self, env: HumanTrackingEnv, settings: PpoSettings, folder: Path | None):
        budget = TrainingBudget(settings.max_iterations, settings.max_minutes)
        super().__init__(env, settings.as_rsl_rl(), folder, TASK, budget, {})
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
