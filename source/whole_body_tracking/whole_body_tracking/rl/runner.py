"""The runner: checkpoints that survive a kill, exact continuation, export at every save, a clean stop."""

from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rsl_rl.env import VecEnv
from rsl_rl.runners import OnPolicyRunner

from .run import distributed, random_state
from .run.checkpoint_file import load_checkpoint, write_through
from .run.clip_table import CLIPS_FILE, clip_rows, log_clips, write_clips
from .run.logger import TrackingLogger

CHECKPOINT_PATTERN = r"model_\d+\.pt"
PARTIAL_ENDINGS = (".tmp", ".unchecked.onnx")
"""Hidden files that end so are unfinished ones."""


class StopTraining(Exception):
    """Raised between two iterations to end training early; the runner saves first."""

    def __init__(self, reason: str, exit_code: int = 0):
        super().__init__(reason)
        self.exit_code = exit_code


class TrackingRunner(OnPolicyRunner):
    """On-policy runner for tracking.

    Differences from rsl_rl's: a checkpoint appears under its name only when complete; loading executes no code and
    maps tensors to this device; a resumed run continues at the next iteration; ``export`` is called after each save;
    SIGTERM saves and ends training; several processes may train on the CPU, and end together.
    """

    def __init__(self, env: VecEnv, train_cfg: dict, log_dir: str | None = None, device: str = "cpu"):
        super().__init__(env, train_cfg, log_dir=log_dir, device=device)
        self.logger = TrackingLogger(
            step_dt=env.unwrapped.step_dt,
            after_iteration=self._after_iteration,
            log_dir=log_dir,
            cfg=self.cfg,
            env_cfg=env.cfg,
            num_envs=env.num_envs,
            is_distributed=self.is_distributed,
            gpu_world_size=self.gpu_world_size,
            gpu_global_rank=self.gpu_global_rank,
            device=self.device,
        )
        self.export: Callable[[TrackingRunner, Path], Any] | None = None
        """Called with the runner and the checkpoint's path after each save."""
        self.after_iteration: Callable[[int, dict[str, float]], None] | None = None
        """Called with each iteration and its row of ``progress.csv``; may raise :class:`StopTraining`."""
        self.stop_reason: StopTraining | None = None
        self._terminated = threading.Event()

    @property
    def num_iterations_done(self) -> int:
        """Number of iterations that the policy has seen, earlier sessions of the run included."""
        return self._next_iteration

    _next_iteration = 0

    def learn_until(self, max_iterations: int, init_at_random_ep_len: bool = True) -> None:
        """Train up to a total number of iterations, those of a resumed checkpoint included."""
        remaining = max_iterations - self._next_iteration
        if remaining <= 0:
            print(
                f"[INFO] The run already has {self._next_iteration} of {max_iterations} iterations: nothing to train."
            )
            return
        self.current_learning_iteration = self._next_iteration
        self._tidy_up()
        previous = signal.signal(signal.SIGTERM, lambda *_: self._terminated.set())
        try:
            self._learn_or_stop(remaining, init_at_random_ep_len)
            distributed.wait_for_all()  # the first one still saves, and torchrun ends all once one has left
        finally:
            signal.signal(signal.SIGTERM, previous)

    def _learn_or_stop(self, num_iterations: int, init_at_random_ep_len: bool) -> None:
        try:
            self.learn(num_iterations, init_at_random_ep_len=init_at_random_ep_len)
        except StopTraining as stop:
            self.stop_reason = stop
            if self.logger.writer is not None:
                self.save(os.path.join(self.logger.log_dir, f"model_{self.current_learning_iteration}.pt"))
                self.logger.stop_logging_writer()

    def save(self, path: str, infos: dict | None = None) -> None:
        """Write a checkpoint, the clips' table and the exported policy; the checkpoint gets its name last.

        So where a checkpoint is, all that belongs to it is there, whenever the process was killed.
        """
        content = self.alg.save() | {
            "iter": self.current_learning_iteration,
            "infos": infos,
            "total_steps": self.logger.tot_timesteps,
            "total_time": self.logger.tot_time,
            "env_step_counter": self.env.unwrapped.common_step_counter,
            "random_state": random_state.capture(self.device),
        }
        target = Path(path)
        partial = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        write_through(partial, content)
        try:
            self._save_companions(target)
        finally:  # an export that fails is an error, but costs no checkpoint
            os.replace(partial, target)
        self.logger.save_model(path, self.current_learning_iteration)

    def _save_companions(self, target: Path) -> None:
        write_clips(target.with_name(CLIPS_FILE), self._clip_rows())
        if self.export is not None:
            self.export(self, target)

    def load(
        self, path: str, load_cfg: dict | None = None, strict: bool = True, map_location: str | None = None
    ) -> dict | None:
        """Restore a checkpoint onto this device without executing anything it may contain."""
        return self._restore(path, load_checkpoint(path, map_location or self.device), load_cfg, strict)

    def resume(self, path: str, same_run: bool) -> None:
        """Continue training from a checkpoint that only the first process has to have.

        Args:
            path: The checkpoint.
            same_run: Whether to continue the checkpoint's random numbers, too, rather than those of this run's seed.
        """
        data = distributed.decided_by_first(Path(path).read_bytes)
        content = load_checkpoint(io.BytesIO(data), self.device, name=path)
        for name in self._networks:
            if f"{name}_state_dict" not in content:
                print(f"[INFO] {path} holds no {name}: it starts anew.")
        self._restore(path, content, None, True)
        if same_run and "random_state" in content:  # not in checkpoints from before it was stored
            random_state.restore(content["random_state"], self.device, self.gpu_global_rank)

    def _restore(self, path: str, content: dict, load_cfg: dict | None, strict: bool) -> dict | None:
        self._require_fit(path, content)
        if self.alg.load(content, load_cfg, strict):
            self.current_learning_iteration = content["iter"]
            self._next_iteration = content["iter"] + 1
            self.logger.tot_timesteps = content.get("total_steps", 0)
            self.logger.tot_time = content.get("total_time", 0.0)
            self.env.unwrapped.common_step_counter = content.get("env_step_counter", 0)
            self.env.unwrapped.curriculum_manager.compute()  # schedules follow the step counter
        return content["infos"]

    def _tidy_up(self) -> None:
        """Remove what a killed session of this run left after its last checkpoint."""
        if self.logger.log_dir is None:
            return
        self.logger.rewind(self._next_iteration)
        for partial in Path(self.logger.log_dir).rglob(".*"):
            if partial.name.endswith(PARTIAL_ENDINGS):
                partial.unlink()

    @property
    def _networks(self) -> dict[str, torch.nn.Module]:
        """Networks that are trained, by their names in a checkpoint."""
        return {"actor": self.alg.actor, "critic": self.alg.critic}

    def _require_fit(self, path: str, content: dict) -> None:
        for name, network in self._networks.items():
            if f"{name}_state_dict" not in content:
                continue  # a distilled student has no critic
            expected = {k: tuple(v.shape) for k, v in network.state_dict().items()}
            found = {k: tuple(v.shape) for k, v in content[f"{name}_state_dict"].items()}
            differing = [f"{k}: {found.get(k)} instead of {v}" for k, v in expected.items() if found.get(k) != v]
            if differing:
                raise ValueError(
                    f"{path} does not fit this task's {name}: {differing[0]}. It was trained on a task with other"
                    " observations or with another network; use the task and agent settings of its run."
                )

    def _clip_rows(self) -> list[dict[str, str | float]]:
        env = self.env.unwrapped
        return clip_rows(env.command_manager.get_term("motion"), env.step_dt)

    def _after_iteration(self, iteration: int, row: dict[str, float]) -> None:
        self._next_iteration = iteration + 1
        if self.logger.writer is not None:
            log_clips(self.logger.writer, self._clip_rows(), iteration)
        stop = self._own_reason_to_stop(iteration, row)
        status = distributed.largest(-1 if stop is None else stop.exit_code)
        if status >= 0:
            raise stop or StopTraining("another process stops training", exit_code=status)

    def _own_reason_to_stop(self, iteration: int, row: dict[str, float]) -> StopTraining | None:
        if self._terminated.is_set():
            return StopTraining("SIGTERM received", exit_code=128 + signal.SIGTERM)
        try:
            if self.after_iteration is not None:
                self.after_iteration(iteration, row)
        except StopTraining as stop:
            return stop
        return None

    def _configure_multi_gpu(self) -> None:
        """Join the other processes, on the CPU too, where rsl_rl accepts CUDA only."""
        member = distributed.Member.from_environment()
        self.is_distributed, self.gpu_world_size = not member.is_alone, member.size
        self.gpu_global_rank, self.gpu_local_rank = member.rank, member.local_rank
        self.cfg["multi_gpu"] = None
        if self.is_distributed:
            distributed.meet(self.device)
            self.cfg["multi_gpu"] = {
                "global_rank": member.rank, "local_rank": member.local_rank, "world_size": member.size
            }  # fmt: skip
        if self.is_distributed and self.device != "cpu":
            torch.cuda.set_device(self.device)
