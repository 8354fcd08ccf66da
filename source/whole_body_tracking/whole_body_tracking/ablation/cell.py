"""One cell of an ablation: a variant with a seed, trained and evaluated in processes of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from whole_body_tracking.files import write_json
from whole_body_tracking.rl.run.launching import latest_progress, run_logged, script_command, train_to_end

from .variants import Variant

EVALUATION_SEED = 42
"""Seed of the start noise of every evaluation."""


@dataclass(frozen=True)
class Plan:
    """What all cells share."""

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

    @property
    def _common(self) -> list[str]:
        motions = ["--motion_file", *self.motions] if self.motions else []
        return [*motions, "--device", self.device, *self.overrides]

    def train_command(self, variant: Variant, seed: int) -> list[str]:
        """Arguments of ``train.py``, its time budget left out."""
        seeded = ["--task", self.task, "--seed", str(seed), *self.train_arguments]
        return [*seeded, *self._common, *variant.overrides]

    def evaluate_command(self, variant: Variant, run: Path) -> list[str]:
        """Arguments of ``evaluate.py``, its output left out."""
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

    def run(self, plan: Plan, watch: Callable[[], None] | None = None) -> dict:
        """Train and evaluate what has not been trained and evaluated yet; the row of this cell.

        Raises:
            ChildProcessError: If a step fails; the message ends with the last lines of its log.
            ValueError: If the folder holds a training with other settings.
        """
        run = train_to_end(self.folder, plan.train_command(self.variant, self.seed), plan.max_minutes, watch)
        overall = self._evaluate(plan, run)
        progress = latest_progress(self.folder)
        spent = {"iterations": progress["iteration"] + 1, "env_steps": progress["total_steps"]}
        spent |= {"minutes": progress["total_time"] / 60.0}
        return {"variant": self.variant.name, "seed": self.seed, "run_folder": str(run)} | spent | overall

    def _evaluate(self, plan: Plan, run: Path) -> dict[str, float]:
        """Evaluate unless this was done with the same arguments."""
        arguments = plan.evaluate_command(self.variant, run)
        output, marker = self.folder / "evaluation", self.folder / "evaluation.json"
        if not (marker.is_file() and json.loads(marker.read_text()) == {"arguments": arguments}):
            command = [*script_command("rsl_rl", "evaluate.py"), *arguments, "--output_dir", output]
            run_logged(command, self.folder, self.folder / "evaluate.log")
            write_json(marker, {"arguments": arguments})
        return json.loads((output / "report.json").read_text())["overall"]
