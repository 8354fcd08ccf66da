"""One cell of an ablation: a variant with a seed, trained and evaluated in processes of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from whole_body_tracking.files import write_json
from whole_body_tracking.rl.run.launching import Command, Training, latest_progress, run_to_end, script_command

from .variants import Variant

EVALUATION_SEED = 42
"""Seed of the start noise of every evaluation."""


@dataclass(frozen=True)
class Plan:
    """Settings that all cells share."""

    task: str
    eval_task: str
    motions: tuple[str, ...]
    """Clips and manifests by absolute path; empty for the task's own."""
    train_arguments: tuple[str, ...]
    """Further flags of ``train.py``."""
    overrides: tuple[str, ...]
    """Overrides and preset selectors of every training and evaluation."""
    max_minutes: float | None
    num_episodes: int
    """Rollouts of each evaluation."""
    device: str
    command: str | None = None
    """Velocity command by which every exported policy walks in plain MuJoCo; None evaluates with ``evaluate.py``."""
    seconds: float = 10.0
    """Length of such a walk."""

    @property
    def _common(self) -> list[str]:
        motions = ["--motion_file", *self.motions] if self.motions else []
        return [*motions, "--device", self.device, *self.overrides]

    def train_command(self, variant: Variant, seed: int) -> list[str]:
        """Arguments of ``train.py``, its time budget left out."""
        seeded = ["--task", variant.task or self.task, "--seed", str(seed), *self.train_arguments]
        return [*seeded, *self._common, *variant.overrides]

    def evaluate_command(self, variant: Variant, run: Path) -> list[str]:
        """Arguments of ``evaluate.py``, or of ``sim2sim.py`` for walks by a command; the output is left out."""
        if self.command is not None:
            how = ["--command", self.command, "--seconds", str(self.seconds), "--seed", str(EVALUATION_SEED)]
            return ["--policy", str(run / "exported" / "policy.onnx"), "--num_rollouts", str(self.num_episodes), *how]
        common = Variant("", self.overrides)
        shared = [token for token in self.overrides if token.startswith("physics=")] + common.played_overrides
        what = ["--task", self.eval_task, "--checkpoint", str(run), "--num_envs", str(self.num_episodes)]
        motions = ["--motion_file", *self.motions] if self.motions else []
        seeded = ["--seed", str(EVALUATION_SEED), "--device", self.device]
        return [*what, *motions, *seeded, *shared, *variant.played_overrides]


@dataclass(frozen=True)
class Cell:
    """A variant with a seed, in a folder of its own."""

    variant: Variant
    seed: int
    folder: Path

    @property
    def name(self) -> str:
        """Name of the cell in messages."""
        return f"{self.variant.name}, seed {self.seed}"

    def run(self, plan: Plan, watch: Callable[[], None] | None = None) -> dict:
        """Train and evaluate what has not been trained and evaluated yet; the row of this cell.

        Raises:
            ChildProcessError: If a step fails; the message ends with the last lines of its log.
            ValueError: If the folder holds a training with other settings.
        """
        for command in self.steps(plan):
            run_to_end(command.start, watch)
        return self.row(plan)

    def steps(self, plan: Plan) -> Iterator[Command]:
        """Commands that are left to do, in order; the next one is asked for when one has succeeded.

        Raises:
            ValueError: If the folder holds a training with other settings.
        """
        training = self._training(plan)
        yield from training.steps()
        arguments = plan.evaluate_command(self.variant, training.run)
        marker = self.folder / "evaluation.json"
        if not (marker.is_file() and json.loads(marker.read_text()) == {"arguments": arguments}):
            script = script_command("rsl_rl", "evaluate.py") if plan.command is None else script_command("sim2sim.py")
            words = (*script, *arguments, "--output_dir", str(self.folder / "evaluation"))
            yield Command(words, self.folder, self.folder / "evaluate.log")
            write_json(marker, {"arguments": arguments})

    def row(self, plan: Plan) -> dict:
        """Variant, seed, budget spent and metrics of a cell without steps left."""
        progress = latest_progress(self.folder)
        spent = {"iterations": progress["iteration"] + 1, "env_steps": progress["total_steps"]}
        spent |= {"minutes": progress["total_time"] / 60.0}
        overall = json.loads((self.folder / "evaluation" / "report.json").read_text())["overall"]
        run = str(self._training(plan).run)
        return {"variant": self.variant.name, "seed": self.seed, "run_folder": run} | spent | overall

    def _training(self, plan: Plan) -> Training:
        return Training(self.folder, tuple(plan.train_command(self.variant, self.seed)), plan.max_minutes)


@dataclass(frozen=True)
class CellJob:
    """A cell as a queue runs it."""

    cell: Cell
    plan: Plan

    @property
    def name(self) -> str:
        """Name of the cell in messages."""
        return self.cell.name

    def steps(self, device: str) -> Iterator[Command]:
        """Commands that are left to do; the plan says on which device."""
        return self.cell.steps(self.plan)
