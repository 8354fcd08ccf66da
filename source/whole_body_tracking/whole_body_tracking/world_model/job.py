"""The loop of a world-model training in an environment that exists, with everything a run of PPO has."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from isaaclab.utils.seed import configure_seed
from isaaclab_rl.rsl_rl import RslRlBaseRunnerCfg, RslRlVecEnvWrapper

from whole_body_tracking.rl.learning.budget import TrainingBudget
from whole_body_tracking.rl.learning.precision import resolve_precision
from whole_body_tracking.rl.learning.ranks import num_ranks, sum_over_ranks
from whole_body_tracking.rl.learning.scoring import Score, Scorer
from whole_body_tracking.rl.run import distributed
from whole_body_tracking.rl.run.service import StopTraining
from whole_body_tracking.rl.training import make_runner

from .checkpoint import checkpoint_content, restore_checkpoint
from .collecting import Collector
from .environment import make_imagination, robot_states
from .imagining.buffer import StepBuffer
from .imagining.dynamics import WorldModel
from .imagining.ensemble import make_model
from .learner import Learner
from .progress import ReportRow, TrainingProgress, WorldModelResult
from .settings import WorldModelSettings
from .task_check import ImaginedTerms
from .watching import ModelErrors, ModelWatch

SCORED_AT_LEAST = 10
"""Every so many lines of the table a policy is scored, however often it fails."""
DIVERGED = 1
"""Exit status of a training whose model was lost."""


@dataclass(frozen=True)
class IterationTimes:
    """Where the wall time of an iteration went [s]."""

    simulation: float
    model: float
    policy: float


class WorldModelJob:
    """One session: warm-up, then iterations of real steps, updates of the model and updates of the policy."""

    def __init__(
        self,
        args: argparse.Namespace,
        env: RslRlVecEnvWrapper,
        agent_cfg: RslRlBaseRunnerCfg,
        run_folder: Path | None,
        terms: ImaginedTerms,
        settings: WorldModelSettings,
        progress: TrainingProgress,
    ):
        """Build networks, buffer and all that watches them, seeded; without a run folder nothing is written.

        Of several processes each has envs and a buffer of its own; the first one alone writes.
        """
        self.args, self.env, self.settings, self.progress = args, env, settings, progress
        self.agent_cfg = agent_cfg
        self._writes = distributed.Member.from_environment().is_first
        self.num_iterations, self.save_interval = agent_cfg.max_iterations, agent_cfg.save_interval
        self.runner = make_runner(args.task, env, agent_cfg, run_folder if self._writes else None, not args.no_clips)
        self.runner.logger.quiet = True
        self.runner.after_iteration = self._count
        configure_seed(agent_cfg.seed, torch_deterministic=args.device == "cpu")
        self.learner = self._make_learner(terms)
        width, joints = robot_states(env.unwrapped).shape[1], len(self.learner.imagination.action_scale)
        rows = settings.buffer_steps(env.num_envs)
        self.buffer = StepBuffer(rows, env.num_envs, width, joints, env.device)
        self.collector = Collector(env, self.learner, self.buffer, self.runner.logger)
        self.scorer = Scorer(env, lambda obs: self.learner.act_on_average(obs[self.learner.group]))
        self.watch = ModelWatch(self.learner, self.buffer)
        self.budget = TrainingBudget(agent_cfg.max_iterations, args.max_minutes)
        self.result = WorldModelResult(run_folder)
        self._model_is_good, self._is_fresh = True, True
        self._has_policy = False  # from a checkpoint, whose observation statistics are a part of it
        self._failures, self._seconds = 0.0, 0.0
        self.losses: dict[str, float] = {}
        """Losses of the last iteration."""

    def _make_learner(self, terms: ImaginedTerms) -> Learner:
        """Networks of the task, on its device."""
        env, settings, agent_cfg = self.env.unwrapped, self.settings, self.agent_cfg
        imagination = make_imagination(env, terms, settings)
        dtype = resolve_precision(agent_cfg.algorithm.precision, agent_cfg.device)
        sizes = settings.model_width, settings.model_layers
        model = make_model(lambda: WorldModel(imagination.action_scale, env.step_dt, *sizes, dtype), settings.ensemble)
        sampler = self.runner.alg.sampler
        return Learner(
            self.runner.alg.actor,
            model.to(env.device),
            imagination,
            settings,
            lambda buffer: buffer.weights_by(sampler.bin_of, sampler.probabilities()),
            dtype,
        )

    def restore(self, checkpoint: Path, same_run: bool, other_clips: bool = False) -> None:
        """Continue a checkpoint of this training, or start from the policy of another.

        With ``other_clips`` the statistics of the start sampler, which are about the checkpoint's, begin anew.
        """
        self._is_fresh, self._has_policy = not restore_checkpoint(self.runner, self.learner, checkpoint, same_run), True
        if other_clips:
            self.runner.alg.sampler.forget()

    def run(self) -> WorldModelResult:
        """Train until the budget, a reason to stop, or ``--until``; the last checkpoint is written in any case."""
        self.runner.logger.init_logging_writer()
        with self.runner.run.session():
            try:
                self.warm_up()
                for iteration in range(self.runner.run.next_iteration, self.num_iterations):
                    self._iterate(iteration)
                self.result.why_ended = f"all {self.num_iterations} iterations are done"
            except StopTraining as stop:
                self._note_end(stop)
            self._report_end()
            self._save(max(0, self.runner.run.next_iteration - 1))
            self.runner.logger.stop_logging_writer()
            distributed.wait_for_all()  # the first one still saves, and torchrun ends all once one has left
        return self.result

    def _report_end(self) -> None:
        """Score the policy a last time, unless that has just been done or the training was stopped from outside."""
        is_scored = self.result.curve and self.result.curve[-1].score is not None
        if self.result.exit_code != 0 or is_scored:
            return
        try:
            self._report(max(0, self.runner.run.next_iteration - 1), scored=True)
        except StopTraining as stop:
            self._note_end(stop)

    def _note_end(self, stop: StopTraining) -> None:
        reasons = [reason for reason in (self.result.why_ended, str(stop)) if reason]
        self.result.why_ended, self.result.exit_code = "; ".join(reasons), distributed.largest(stop.exit_code)

    # -- an iteration --------------------------------------------------------------------------------------------------

    def warm_up(self) -> None:
        """Real steps, statistics of the inputs, and a model that is worth imagining with."""
        settings, began, seen = self.settings, time.monotonic(), []
        self.progress.update("collecting", 0.0)
        self.collector.collect(settings.warmup_steps, None if self._has_policy else seen)
        self._require_windows()
        if self._is_fresh:
            self.learner.fit_normalizers(self.buffer, None if self._has_policy else torch.cat(seen))
            for _ in range(settings.warmup_updates):
                self.progress.update("training the model", 0.0)
                self.learner.update_model(self.buffer)
        logger = self.runner.logger
        logger.tot_timesteps += settings.warmup_steps * self.env.num_envs * num_ranks()
        logger.tot_time += time.monotonic() - began

    def _require_windows(self) -> None:
        """Check that every process has something to learn from.

        Raises:
            ValueError: If no episode of one was as long as a window.
        """
        length = self.settings.model_window
        if float(sum_over_ranks((self.buffer.num_windows(length) == 0).float())) > 0.0:
            raise ValueError(
                f"No episode lasted {length} steps in the {self.settings.warmup_steps} of the warm-up, so the model has"
                " no window to learn from. Look at the clip (scripts/replay_npz.py), or pass a smaller --model_window"
                " or more --warmup_steps."
            )

    def advance(self) -> IterationTimes:
        """Make real steps and update both networks, the policy only while the model is good; notes the losses."""
        settings, began = self.settings, time.monotonic()
        self.learner.anneal(self._budget_used())
        self.collector.collect(settings.collect_steps)
        if num_ranks() > 1:
            self.runner.alg.sampler.merge(sum_over_ranks)
        collected = time.monotonic()
        losses = {"world_model": _mean(settings.model_updates, lambda: self.learner.update_model(self.buffer))}
        trained = time.monotonic()
        if self._model_is_good:
            losses["imagined_cost"] = _mean(settings.policy_updates, lambda: self.learner.update_policy(self.buffer))
        self.losses = {name: float(value) for name, value in losses.items()}  # the one question of an iteration
        return IterationTimes(collected - began, trained - collected, time.monotonic() - trained)

    def _iterate(self, iteration: int) -> None:
        times = self.advance()
        self._log_times(iteration, times)
        self.runner.current_learning_iteration = iteration
        self.runner.logger.log(
            it=iteration,
            start_it=0,
            total_it=self.num_iterations,
            collect_time=times.simulation,
            learn_time=times.model + times.policy,
            loss_dict=self.losses,
            learning_rate=self.learner.policy_rate,
            action_std=torch.tensor([self.settings.action_noise]),
            rnd_weight=None,
        )
        self.progress.update("training", self.budget.used(iteration + 1))
        if (iteration + 1) % self.settings.report_every == 0:
            self._report(iteration)
        if (iteration + 1) % self.save_interval == 0:
            self._save(iteration)

    def _budget_used(self) -> float:
        """Share of the budget before an iteration, the same for all processes, whose clocks differ."""
        used = self.budget.used(self.runner.run.next_iteration)
        if num_ranks() == 1:
            return used
        return float(sum_over_ranks(torch.tensor(used, device=self.env.device))) / num_ranks()

    def _count(self, iteration: int, row: dict[str, float]) -> None:
        """Count failures since the last line of the table, and end training once the time has passed."""
        self._failures += row["failures"]
        self._seconds += self.settings.collect_steps * self.env.num_envs * self.env.unwrapped.step_dt
        if self.budget.is_over:
            raise StopTraining(f"the budget of {self.budget.max_minutes:g} minutes is used up")

    # -- reporting -----------------------------------------------------------------------------------------------------

    def _report(self, iteration: int, scored: bool = False) -> None:
        """Measure model and policy, print and log a line, and stop if the policy is good enough or the model lost."""
        errors, wrong = self.watch.check()
        self._model_is_good = wrong is None
        between_failures = self._between_failures()
        due = (len(self.result.curve) + 1) % SCORED_AT_LEAST == 0 or between_failures >= self._clip_seconds
        score = self._score() if scored or due else None
        logger, losses = self.runner.logger, self.losses
        row = ReportRow(
            iteration, logger.tot_timesteps, logger.tot_time, losses.get("world_model", math.nan),
            losses.get("imagined_cost", math.nan), between_failures, errors, score,
        )  # fmt: skip
        self.result.curve.append(row)
        self.progress.row(row)
        self._log_report(row, errors)
        self._stop_if_done(score, wrong)

    def _between_failures(self) -> float:
        """Robot time for each failure of all processes since the last call [s]."""
        seconds, failures = sum_over_ranks(
            torch.tensor([self._seconds, self._failures], device=self.env.device)
        ).tolist()
        self._failures = self._seconds = 0.0
        return seconds / max(1.0, failures)

    def _stop_if_done(self, score: Score | None, wrong: str | None) -> None:
        if wrong is not None:
            print(f"[WARNING] {wrong}. The policy waits until the model is better.", flush=True)
        if self.watch.is_lost:
            raise StopTraining(f"{wrong}, {self.watch.strikes} times in a row", DIVERGED)
        until = self.args.until
        if score is not None and until is not None and score.is_accepted(until, self.settings.accept_tracking):
            reached = (
                f"{score.finished} of {score.rollouts} rollouts finish with a tracking score of {score.tracking:.2f}"
            )
            raise StopTraining(reached)

    def _score(self) -> Score:
        self.progress.update("scoring", self.budget.used(self.runner.run.next_iteration))
        score = self.scorer.score()
        self.buffer.interrupt()
        logger = self.runner.logger
        logger.cur_reward_sum.zero_()  # the episodes that it was counting are over
        logger.cur_episode_length.zero_()
        return score

    @property
    def _clip_seconds(self) -> float:
        return float(self.scorer.motion.library.durations.mean())

    def _log_times(self, iteration: int, times: IterationTimes) -> None:
        writer = self.runner.logger.writer
        if writer is not None:
            writer.add_scalar("Perf/model_time", times.model, iteration)
            writer.add_scalar("Perf/policy_time", times.policy, iteration)

    def _log_report(self, row: ReportRow, errors: ModelErrors) -> None:
        writer = self.runner.logger.writer
        if writer is None:
            return
        for name, value in errors.scalars().items():
            writer.add_scalar(f"WorldModel/{name}", value, row.iteration)
        if row.score is not None:
            writer.add_scalar("Score/finished", row.score.finished / row.score.rollouts, row.iteration)
            writer.add_scalar("Score/tracking", row.score.tracking, row.iteration)
            writer.add_scalar("Score/r_mpkpe_cm", row.score.r_mpkpe_cm, row.iteration)

    def _save(self, iteration: int) -> None:
        path = self.result.run_folder / f"model_{iteration}.pt"
        if self.result.checkpoint == path:
            return
        if self._writes:
            self.runner.run.save(path, checkpoint_content(self.runner, self.learner, iteration))
            self.runner.logger.save_model(str(path), iteration)
        self.result.checkpoint = path


def _mean(num: int, update: Callable[[], torch.Tensor]) -> torch.Tensor:
    """Mean loss of several updates, still on the device."""
    return torch.stack([update() for _ in range(num)]).mean()
