"""PPO's runner for tasks on plain MuJoCo: rsl_rl's, with the run service for saving, stopping and continuing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rsl_rl.env import VecEnv
from rsl_rl.runners import OnPolicyRunner

from ..learning.budget import TrainingBudget
from .checkpoint_file import load_checkpoint
from .logger import TrackingLogger
from .service import StopTraining, TrainingRun


@dataclass(frozen=True)
class NativePpoSettings:
    """PPO with small networks, which observe one group, and one learning rate; a task sets the numbers.

    Raises:
        ValueError: If a number is too small.
    """

    max_iterations: int = 300
    max_minutes: float | None = None
    num_steps_per_env: int = 24
    hidden: tuple[int, ...] = (128, 64)
    learning_rate: float = 3.0e-4
    initial_std: float = 0.3
    """Of actions."""
    save_interval: int = 50
    gamma: float = 0.98
    entropy_coef: float = 0.0

    def __post_init__(self):
        for name in ("max_iterations", "num_steps_per_env", "save_interval"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} is {getattr(self, name)}, expected at least 1.")
        if self.max_minutes is not None and not self.max_minutes > 0.0:
            raise ValueError(f"--max_minutes is {self.max_minutes:g}, expected more than 0.")

    def as_rsl_rl(self) -> dict:
        """The dictionary that rsl_rl takes."""
        network = {"class_name": "MLPModel", "hidden_dims": list(self.hidden), "activation": "elu"}
        network["obs_normalization"] = True
        noise = {"class_name": "GaussianDistribution", "init_std": self.initial_std, "std_type": "scalar"}
        algorithm = {
            "class_name": "PPO", "num_learning_epochs": 5, "num_mini_batches": 4, "clip_param": 0.2,
            "gamma": self.gamma, "lam": 0.95, "value_loss_coef": 1.0, "use_clipped_value_loss": True,
            "entropy_coef": self.entropy_coef, "learning_rate": self.learning_rate, "max_grad_norm": 1.0,
            "schedule": "fixed", "desired_kl": None, "rnd_cfg": None, "symmetry_cfg": None,
        }  # fmt: skip
        return {
            "num_steps_per_env": self.num_steps_per_env,
            "save_interval": self.save_interval,
            "obs_groups": {"actor": ["policy"], "critic": ["policy"]},
            "actor": network | {"distribution_cfg": noise},
            "critic": dict(network),
            "algorithm": algorithm,
            "logger": "tensorboard",
            "device": "cpu",
        }


class NativeRunner(OnPolicyRunner):
    """Checkpoints appear complete, SIGTERM and a used-up budget end training with one, resumed runs go on."""

    def __init__(self, env: VecEnv, cfg: dict, folder: Path | None, task: str, budget: TrainingBudget, facts: dict):
        """Build networks and logger.

        Args:
            env: The task; ``step_dt`` is the time of a step [s].
            cfg: What rsl_rl takes.
            folder: Where the run goes; None writes nothing.
            task: Its name, which checkpoints hold.
            budget: When to stop.
            facts: What else a checkpoint has to agree in to be continued or played, where it says so; JSON can hold it.
        """
        log_dir = None if folder is None else str(folder)
        super().__init__(env, cfg, log_dir=log_dir, device="cpu")
        self.task, self.facts, self._budget = task, facts, budget
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
            "task": self.task,
            "facts": self.facts,
            "total_steps": self.logger.tot_timesteps,
            "total_time": self.logger.tot_time,
        }
        self.run.save(path, content)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            ValueError: If it is no checkpoint of this task, or does not fit.
        """
        content = self.read(path)
        self.alg.load(content, None, True)
        self.run.next_iteration = content["iter"] + 1
        self.logger.tot_timesteps, self.logger.tot_time = content["total_steps"], content["total_time"]
        self.logger.timed_from = 0
        self.run.restore_random_numbers(content)

    def read(self, path: Path) -> dict:
        """Content of a checkpoint.

        Raises:
            ValueError: If it is no checkpoint of this task, or does not fit.
        """
        content = load_checkpoint(path)
        if content.get("task") != self.task:
            found = content.get("task", "another task")
            raise ValueError(f"{path} is a checkpoint of {found}, expected {self.task}.")
        known = content.get("facts") or {}
        for name, wanted in self.facts.items():
            if known.get(name, wanted) != wanted:  # older checkpoints say less
                raise ValueError(f"{path} was trained with {name} {known[name]}, and here it is {wanted}.")
        found = {name: tuple(value.shape) for name, value in content["actor_state_dict"].items()}
        expected = {name: tuple(value.shape) for name, value in self.alg.actor.state_dict().items()}
        differing = [name for name in expected if found.get(name) != expected[name]]
        if differing:
            name = differing[0]
            raise ValueError(
                f"{path} does not fit the policy: {name} is {found.get(name)} instead of {expected[name]}."
            )
        return content

    def policy(self):
        """The policy without noise: observations to actions."""
        return self.get_inference_policy(device="cpu")

    def _after_iteration(self, iteration: int, row: dict[str, float]) -> None:
        self.run.end_iteration(iteration, row)
        if self._budget.is_over:
            self.run.stop_reason = StopTraining("the minutes are used up")
            raise self.run.stop_reason
