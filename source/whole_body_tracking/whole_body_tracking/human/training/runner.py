"""PPO on the human task: rsl_rl's runner with the run service for saving, stopping and continuing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from rsl_rl.runners import OnPolicyRunner

from whole_body_tracking.rl.learning.budget import TrainingBudget
from whole_body_tracking.rl.run.checkpoint_file import load_checkpoint
from whole_body_tracking.rl.run.logger import TrackingLogger
from whole_body_tracking.rl.run.service import StopTraining, TrainingRun

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


class HumanRunner(OnPolicyRunner):
    """Checkpoints appear complete, SIGTERM and a used-up budget end training with one, resumed runs go on."""

    def __init__(self, env: HumanTrackingEnv, settings: PpoSettings, folder: Path | None):
        log_dir = None if folder is None else str(folder)
        super().__init__(env, settings.as_rsl_rl(), log_dir=log_dir, device="cpu")
        with torch.no_grad():  # training starts at the feed-forward excitations
            last = [each for each in self.alg.actor.modules() if isinstance(each, torch.nn.Linear)][-1]
            last.weight.zero_()
            last.bias.zero_()
        self._budget = TrainingBudget(settings.max_iterations, settings.max_minutes)
        self.logger = TrackingLogger(
            step_dt=env.step_dt,
            after_iteration=self._after_iteration,
            log_dir=log_dir,
            cfg=self.cfg,
            env_cfg=env.settings_json,
            num_envs=env.num_envs,
            is_distributed=False,
            gpu_world_size=1,
            gpu_global_rank=0,
            device="cpu",
        )
        self.run = TrainingRun(log_dir)

    def learn_until(self, max_iterations: int) -> None:
        """Train up to a total number of iterations, or until the minutes are used up."""
        done = self.run.next_iteration
        if max_iterations <= done:
            return
        self.current_learning_iteration = done
        with self.run.session():
            try:
                self.learn(max_iterations - done)
            except StopTraining:
                if self.logger.writer is not None:
                    self.save(os.path.join(self.logger.log_dir, f"model_{self.current_learning_iteration}.pt"))
                    self.logger.stop_logging_writer()

    def save(self, path: str, infos: dict | None = None) -> None:
        """Write a checkpoint."""
        content = self.alg.save() | {
            "iter": self.current_learning_iteration,
            "infos": infos,
            "task": TASK,
            "total_steps": self.logger.tot_timesteps,
            "total_time": self.logger.tot_time,
        }
        self.run.save(path, content)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            ValueError: If it is no checkpoint of this task, or of another body.
        """
        content = load_checkpoint(path)
        if content.get("task") != TASK:
            raise ValueError(f"{path} is a checkpoint of {content.get('task', 'another task')}, expected {TASK}.")
        found = {name: tuple(value.shape) for name, value in content["actor_state_dict"].items()}
        wanted = {name: tuple(value.shape) for name, value in self.alg.actor.state_dict().items()}
        differing = [name for name in wanted if found.get(name) != wanted[name]]
        if differing:
            name = differing[0]
            raise ValueError(f"{path} does not fit the policy: {name} is {found.get(name)} instead of {wanted[name]}.")
        self.alg.load(content, None, True)
        self.run.next_iteration = content["iter"] + 1
        self.logger.tot_timesteps, self.logger.tot_time = content["total_steps"], content["total_time"]
        self.logger.timed_from = 0
        self.run.restore_random_numbers(content)

    def policy(self):
        """The policy without noise: observations to actions."""
        return self.get_inference_policy(device="cpu")

    def _after_iteration(self, iteration: int, row: dict[str, float]) -> None:
        self.run.end_iteration(iteration, row)
        if self._budget.is_over:
            self.run.stop_reason = StopTraining("the minutes are used up")
            raise self.run.stop_reason


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
