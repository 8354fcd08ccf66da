"""Numbers of world-model training; each is a flag of ``scripts/world_model/train.py``."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, fields
from typing import Any


def _number(default: float, help: str, least: float = 0.0, most: float = float("inf")) -> Any:
    return field(default=default, metadata={"help": help, "least": least, "most": most})


@dataclass(frozen=True)
class WorldModelSettings:
    """How much is collected, how both networks are trained, and what counts as good enough."""

    collect_steps: int = _number(8, "Real steps of every env in an iteration.", 1)
    warmup_steps: int = _number(40, "Real steps of every env before anything is learnt.", 9)
    warmup_updates: int = _number(200, "Updates of the model before the first of the policy.", 1)
    buffer_size: int = _number(102_400, "Real steps that are kept; the oldest are overwritten.", 64, 2**24)

    model_width: int = _number(512, "Units of each of the model's hidden layers.", 1)
    model_layers: int = _number(3, "Hidden layers of the model.", 1)
    model_updates: int = _number(2, "Updates of the model in an iteration.", 1)
    model_batch: int = _number(512, "Windows in an update of the model.", 1)
    model_window: int = _number(8, "Steps of a window: how far the model predicts while it is trained.", 1)
    ensemble: int = _number(1, "Models; each imagined rollout stays in one. model_batch is for each of them.", 1)
    model_rate: float = _number(2.0e-3, "Learning rate of the model.", 1e-9)

    policy_updates: int = _number(3, "Updates of the policy in an iteration.", 1)
    policy_batch: int = _number(256, "Imagined rollouts in an update of the policy.", 1)
    horizon: int = _number(32, "Steps of an imagined rollout.", 1)
    policy_rate: float = _number(4.0e-3, "Learning rate of the policy.", 1e-9)
    final_rate: float = _number(
        0.1, "Share of all learning rates that is left at the end of --max_minutes or --max_iterations.", 1e-6, 1.0
    )
    action_noise: float = _number(0.1, "Exploration noise on actions, real and imagined [action units].", 0.0)
    model_noise: float = _number(
        0.0, "Noise on the velocities of imagined steps, as a share of the standard deviation of their change.", 0.0
    )
    state_gradient: float = _number(30.0, "Largest norm of the gradient at an imagined state, per rollout.", 1e-9)
    far_slope: float = _number(0.3, "Share of the cost that keeps its slope far from the reference.", 0.0)
    action_rate_share: float = _number(1.0, "Share of the task's action-rate penalty in the imagined cost.", 0.0)
    value_discount: float = _number(0.0, "Discount of a value at the end of imagined rollouts; 0 has none.", 0.0, 0.999)
    value_rate: float = _number(1.0e-3, "Learning rate of that value.", 1e-9)
    start_share: float = _number(0.0, "Share of imagined rollouts that start where the sampler says.", 0.0, 1.0)
    average_rate: float = _number(0.01, "Share by which the averaged policy follows an update.", 1e-6, 1.0)

    report_every: int = _number(10, "Iterations between two lines of the table.", 1)
    accept_tracking: float = _number(0.8, "Tracking score that --until asks for, in [0, 1].", 0.0, 1.0)

    def __post_init__(self):
        """Check every number against its range.

        Raises:
            ValueError: If one is out of range.
        """
        for item in fields(self):
            value, least, most = getattr(self, item.name), item.metadata["least"], item.metadata["most"]
            if not least <= value <= most:
                bound = f"at least {least:g}" if most == float("inf") else f"{least:g} to {most:g}"
                raise ValueError(f"--{item.name} is {value:g}, expected {bound}.")
        if self.warmup_steps <= self.model_window:
            raise ValueError(
                f"--warmup_steps is {self.warmup_steps} and --model_window {self.model_window}: there would be no"
                " window to learn from. Collect more steps than a window has."
            )

    def buffer_steps(self, num_envs: int) -> int:
        """Rows of a buffer for a number of envs: at least the warm-up and one window more."""
        return max(self.buffer_size // num_envs, self.warmup_steps, 2 * self.model_window + self.collect_steps)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every setting."""
    group = parser.add_argument_group("world model")
    for item in fields(WorldModelSettings):
        kind = int if isinstance(item.default, int) else float
        text = f"{item.metadata['help']} (%(default)s)"
        group.add_argument(f"--{item.name}", type=kind, default=item.default, metavar="N", help=text)


def settings_of(args: argparse.Namespace) -> WorldModelSettings:
    """Settings of a command line.

    Raises:
        ValueError: If one is out of range.
    """
    return WorldModelSettings(**{item.name: getattr(args, item.name) for item in fields(WorldModelSettings)})
