"""Rounds of collecting and regression, each of which ends with a checkpoint."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from isaaclab.utils.seed import configure_seed
from isaaclab_rl.rsl_rl import RslRlBaseRunnerCfg, RslRlVecEnvWrapper

from whole_body_tracking.tasks.tracking.mdp.actions_cfg import action_center

from ..run.service import StopTraining
from ..runner import CENTER_KEY, TrackingRunner
from ..training import make_runner
from .bridge import MujocoBridge
from .collection import Collector
from .dataset import SampleFile, SampleLayout
from .experts import ChosenExpert
from .fitting import FitSettings, fit
from .keys import SUPERVISED_KEY
from .progress import RoundProgress, SftResult, SftRound

DATASET_FILE = "dataset.samples"
FIRST_ROWS = {"feedback": 32_000, "sampling": 3_200}
"""Rows that the expert collects alone, before the first regression."""
ROUND_ROWS = {"feedback": 16_000, "sampling": 1_600}
"""Rows of each round in which the student acts."""
EXPERT_NOISE, STUDENT_NOISE = 0.2, 0.05
"""Noise on the actions taken, in action units: a push at every step, which the labels answer."""
COLLECT_SHARE = {"feedback": 0.4, "sampling": 0.8}
"""Share of a round's time, under ``--max_minutes``, after which collecting stops; the rest is regression."""


@dataclass(frozen=True)
class Clock:
    """Times of a job, in ``time.monotonic``."""

    began: float
    deadline: float

    @property
    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self.deadline

    def part(self, index: int, num_parts: int, share: float = 1.0) -> float:
        """End of a share of one of equal parts of what is left of the time after now."""
        now = time.monotonic()
        return now + (self.deadline - now) * share / (num_parts - index)


class SftJob:
    """Rounds of collecting and regression in an environment that exists; each ends with a checkpoint."""

    def __init__(
        self,
        args: argparse.Namespace,
        env: RslRlVecEnvWrapper,
        agent_cfg: RslRlBaseRunnerCfg,
        run_folder: Path,
        chosen: ChosenExpert,
        clock: Clock,
        progress: RoundProgress,
    ):
        """Prepare.

        Raises:
            ValueError: If the data set that ``args`` name has another layout than the task.
        """
        self.args, self.clock, self.progress, self.seed = args, clock, progress, agent_cfg.seed
        self.expert_name, self.run_folder = chosen.name, run_folder
        self.runner = make_runner(args.task, env, agent_cfg, run_folder, not args.no_clips)
        configure_seed(agent_cfg.seed, torch_deterministic=args.device == "cpu")
        self.layout = MujocoBridge(env.unwrapped).layout()
        self.samples = SampleFile.open(args.dataset or run_folder / DATASET_FILE, self.layout)
        self.collector = Collector(env, chosen.expert, self.samples, agent_cfg.seed)

    def run(self) -> SftResult:
        """Run all rounds, or those that the time allows."""
        num_rounds = self.args.rounds + 1
        result = SftResult(self.run_folder, self.run_folder / "model_0.pt", self.expert_name)
        with self.runner.run.session():
            for index in range(num_rounds):
                if index and self.clock.is_over:
                    print(f"[INFO] --max_minutes is used up after {index} of {num_rounds} rounds.")
                    break
                row = self._round(index, num_rounds)
                result.rounds.append(row)
                print(f"[INFO] {row.describe()}", flush=True)
                result.checkpoint = self.run_folder / f"model_{index}.pt"
                save_student(self.runner, result.checkpoint, index, self.layout, asdict(row))
                try:
                    self.runner.run.end_iteration(index, {})
                except StopTraining as stop:
                    result.exit_code = stop.exit_code
                    break
        return result

    def _round(self, index: int, num_rounds: int) -> SftRound:
        args, name = self.args, self.expert_name
        wanted = (args.round_rows or ROUND_ROWS[name]) if index else (args.first_rows or FIRST_ROWS[name])
        if index == 0:
            wanted = max(0, wanted - len(self.samples))  # a data set that was loaded counts
        student = self.runner.get_inference_policy(device=self.runner.device) if index else None
        noise = STUDENT_NOISE if index else EXPERT_NOISE
        ends = self.clock.part(index, num_rounds, COLLECT_SHARE[name]), self.clock.part(index, num_rounds)
        with self.progress.phase(f"round {index}: {'student' if index else 'expert'} acts") as report:
            collected = self.collector.collect(index, wanted, student, noise, ends[0], report)
        self.samples.sync()
        if len(self.samples) == 0:
            raise ValueError("--max_minutes was used up before the first sample. Give more, or load refined actions.")
        with self.progress.phase(f"round {index}: regression") as report:
            actor, settings = self.runner.alg.actor, FitSettings()
            fitted = fit(actor, self.samples, args.fit_steps, settings, self.seed + index, ends[1], report)
        return SftRound(
            round=index,
            num_samples=collected.num_rows,
            total_samples=len(self.samples),
            robot_seconds_per_failure=collected.seconds_per_failure,
            failures=collected.num_failures,
            loss=fitted.loss,
            action_error=fitted.error,
            seconds=time.monotonic() - self.clock.began,
        )


def save_student(
    runner: TrackingRunner, path: Path, iteration: int, layout: SampleLayout, numbers: dict[str, float]
) -> None:
    """Write a checkpoint of the actor alone, as play, evaluate, export and train take it."""
    env = runner.env.unwrapped
    content = {
        "actor_state_dict": runner.alg.actor.state_dict(),
        "iter": iteration,
        "infos": None,
        "total_steps": 0,
        "env_step_counter": env.common_step_counter,
        CENTER_KEY: action_center(env.cfg),
        SUPERVISED_KEY: {"action_sha256": layout.action_sha256, "clip_sha256": layout.clip_sha256} | numbers,
    }
    runner.run.save(path, content)
