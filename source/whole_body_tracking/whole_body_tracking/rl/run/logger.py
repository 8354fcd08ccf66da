"""rsl_rl's logger with robot time between failures, the progress table and a hook per iteration."""

from __future__ import annotations

import contextlib
import io
import statistics
from collections.abc import Callable
from pathlib import Path

import torch
from rsl_rl.utils.log_writer import LogWriter
from rsl_rl.utils.logger import Logger
from torch import Tensor

from whole_body_tracking.progress_table import ProgressTable


class TrackingLogger(Logger):
    """Logs ``Train/robot_seconds_per_failure`` and writes every iteration's key numbers to ``progress.csv``."""

    def __init__(self, step_dt: float, after_iteration: Callable[[int, dict[str, float]], None], **kwargs):
        """Create the logger.

        Args:
            step_dt: Duration of an environment step [s].
            after_iteration: Called with the iteration and its row of ``progress.csv``; may raise to stop training.
            kwargs: What rsl_rl's logger takes.
        """
        super().__init__(**kwargs)
        self.quiet = False
        """Whether to keep rsl_rl's block of numbers off the console."""
        self.timed_from: int | None = None
        """Iteration that the total time began with, for the time left; None for the first one of this session."""
        self._step_dt = step_dt
        self._progress = None if self.log_dir is None else ProgressTable(Path(self.log_dir))
        self._after_iteration = after_iteration
        self._failures = torch.zeros((), dtype=torch.long, device=self.device)
        self._steps = 0

    def process_env_step(self, rewards: Tensor, dones: Tensor, extras: dict, intrinsic_rewards=None) -> None:
        """Count steps and failures: episodes that ended otherwise than by a time-out."""
        super().process_env_step(rewards, dones, extras, intrinsic_rewards)
        time_outs = extras.get("time_outs")
        self._failures += (dones > 0).sum() if time_outs is None else ((dones > 0) & ~time_outs.bool()).sum()
        self._steps += len(dones)

    def log(self, it: int, **kwargs) -> None:
        """Log an iteration, append it to the progress table and call the hook."""
        if self.timed_from is not None:
            kwargs["start_it"] = self.timed_from
        row = self._progress_row(it, kwargs)
        if self.writer is not None:
            self.writer.add_scalar("Train/robot_seconds_per_failure", row["robot_seconds_per_failure"], it)
        with contextlib.redirect_stdout(io.StringIO()) if self.quiet else contextlib.nullcontext():
            super().log(it, **kwargs)
        row |= {"total_steps": self.tot_timesteps, "total_time": round(self.tot_time, 3)}
        if self.writer is not None:
            self._progress.append(row)
        self._after_iteration(it, row)

    def save_policy(self, path: Path) -> None:
        """Upload the exported policy to W&B under its own name, where a robot's controller looks for it."""
        if isinstance(self.writer, LogWriter):
            self.writer.save_file(str(path))

    def _progress_row(self, it: int, scalars: dict) -> dict[str, float]:
        seconds, failures = self._steps * self._step_dt, int(self._failures)
        self._failures.zero_()
        self._steps = 0
        return {
            "iteration": it,
            "total_steps": 0,
            "total_time": 0.0,
            "mean_reward": statistics.mean(self.rewbuffer) if self.rewbuffer else float("nan"),
            "mean_episode_length": statistics.mean(self.lenbuffer) if self.lenbuffer else float("nan"),
            "robot_seconds_per_failure": seconds / max(1, failures),
            "failures": failures,
            "collect_time": scalars["collect_time"],
            "learn_time": scalars["learn_time"],
            "learning_rate": scalars["learning_rate"],
            "action_std": scalars["action_std"].mean().item(),
            **{name: scalars["loss_dict"][name] for name in ("kl",) if name in scalars["loss_dict"]},
        }
