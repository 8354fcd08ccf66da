"""PPO's runner: rsl_rl's, with the run service for saving, stopping and continuing."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import torch
from rsl_rl.env import VecEnv
from rsl_rl.runners import OnPolicyRunner

from whole_body_tracking.tasks.tracking.mdp.actions_cfg import action_center
from whole_body_tracking.tasks.tracking.task_reference import motion_of

from .learning.phase_state import phase_content, restore_phase
from .run import distributed
from .run.checkpoint_file import load_checkpoint
from .run.clip_table import CLIPS_FILE, clip_rows, log_clips, write_clips
from .run.logger import TrackingLogger
from .run.service import StopTraining, TrainingRun

CENTER_KEY = "action_center"
"""In checkpoints: what joint targets a zero action gives."""


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
        self.run = TrainingRun(log_dir, device=self.device)
        self.run.companions += [self._write_clip_table, self._export]
        self.run.checks.append(self._check)
        self.export: Callable[[TrackingRunner, Path], Path] | None = None
        """Called with the runner and the checkpoint's path at each save, before the checkpoint gets its name; the file
        that it returns is uploaded to the W&B run, if there is one."""
        self.after_iteration: Callable[[int, dict[str, float]], None] | None = None
        """Called with each iteration and its row of ``progress.csv``; may raise :class:`StopTraining`."""

    @property
    def num_iterations_done(self) -> int:
        """Number of iterations that the policy has seen, earlier sessions of the run included."""
        return self.run.next_iteration

    @property
    def stop_reason(self) -> StopTraining | None:
        """Reason why training ended early; None if it did not."""
        return self.run.stop_reason

    def learn_until(self, max_iterations: int, init_at_random_ep_len: bool = True) -> None:
        """Train up to a total number of iterations, those of a resumed checkpoint included."""
        done = self.run.next_iteration
        if max_iterations <= done:
            print(f"[INFO] The run already has {done} of {max_iterations} iterations: nothing to train.")
            return
        self.current_learning_iteration = done
        with self.run.session():
            self._learn_or_stop(max_iterations - done, init_at_random_ep_len)
            distributed.wait_for_all()  # the first one still saves, and torchrun ends all once one has left

    def _learn_or_stop(self, num_iterations: int, init_at_random_ep_len: bool) -> None:
        try:
            self.learn(num_iterations, init_at_random_ep_len=init_at_random_ep_len)
        except StopTraining:
            if self.logger.writer is not None:
                self.save(os.path.join(self.logger.log_dir, f"model_{self.current_learning_iteration}.pt"))
                self.logger.stop_logging_writer()

    def save(self, path: str, infos: dict | None = None) -> None:
        """Write a checkpoint, the clips' table and the exported policy; the checkpoint gets its name last."""
        self.run.save(
            path,
            self.alg.save()
            | {
                "iter": self.current_learning_iteration,
                "infos": infos,
                "total_steps": self.logger.tot_timesteps,
                "total_time": self.logger.tot_time,
                "env_step_counter": self.env.unwrapped.common_step_counter,
                CENTER_KEY: action_center(self.env.unwrapped.cfg),
            }
            | phase_content(self.env),
        )
        self.logger.save_model(path, self.current_learning_iteration)

    def _write_clip_table(self, checkpoint: Path) -> None:
        rows = self._clip_rows()
        if rows:
            write_clips(checkpoint.with_name(CLIPS_FILE), rows)

    def _export(self, checkpoint: Path) -> None:
        if self.export is not None:
            self.logger.save_policy(self.export(self, checkpoint))

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
                print(f"[INFO] {path} has no {name}: it starts anew.")
        self._restore(path, content, None, True)
        if same_run:
            self.run.restore_random_numbers(content, self.gpu_global_rank)

    def _restore(self, path: str, content: dict, load_cfg: dict | None, strict: bool) -> dict | None:
        self._require_fit(path, content)
        continues = self.alg.load(content, load_cfg, strict)
        restore_phase(self.env, content)
        if continues:
            self.current_learning_iteration = content["iter"]
            self.run.next_iteration = content["iter"] + 1
            self.logger.tot_timesteps = content.get("total_steps", 0)
            self.logger.tot_time = content.get("total_time", 0.0)
            self.logger.timed_from = 0 if "total_time" in content else None
            self.env.unwrapped.common_step_counter = content.get("env_step_counter", 0)
            self.env.unwrapped.curriculum_manager.compute()  # schedules follow the step counter
        return content["infos"]

    @property
    def _networks(self) -> dict[str, torch.nn.Module]:
        """Networks that are trained, by their names in a checkpoint."""
        return {"actor": self.alg.actor, "critic": self.alg.critic}

    def _require_fit(self, path: str, content: dict) -> None:
        here = action_center(self.env.unwrapped.cfg)
        # Version 0.1 stored none and knew no joint targets of clips.
        trained = content.get(CENTER_KEY, "reference" if here == "joint_target" else here)
        if trained != here:
            raise ValueError(
                f"{path} was trained with actions about '{trained}', this task has them about '{here}'. Use"
                f" the task of its run with env.actions.joint_pos.center={trained}."
            )
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
        motion = motion_of(self.env)
        return [] if motion is None else clip_rows(motion, self.env.unwrapped.step_dt)

    def _after_iteration(self, iteration: int, row: dict[str, float]) -> None:
        if self.logger.writer is not None:
            log_clips(self.logger.writer, self._clip_rows(), iteration)
        self.run.end_iteration(iteration, row)

    def _check(self, iteration: int, row: dict[str, float]) -> None:
        if self.after_iteration is not None:
            self.after_iteration(iteration, row)

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
