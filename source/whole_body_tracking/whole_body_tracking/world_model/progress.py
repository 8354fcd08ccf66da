"""What a world-model training shows while it runs, and its result."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from whole_body_tracking.rl.learning.scoring import Score

from .watching import ModelErrors

COLUMNS = (
    ("iteration", 9), ("env steps", 10), ("seconds", 8), ("model", 6), ("1 step", 7), ("8", 6), ("32", 6),
    ("const. 8", 8), ("cost", 6), ("s/failure", 9), ("finished", 9), ("tracking", 8), ("r_mpkpe", 8),
)  # fmt: skip


@dataclass(frozen=True)
class ReportRow:
    """A line of the table."""

    iteration: int
    env_steps: int
    seconds: float
    """Wall time of training, scoring left out [s]."""
    model_loss: float
    policy_cost: float
    robot_seconds_per_failure: float
    errors: ModelErrors
    score: Score | None = None

    def render(self) -> str:
        """The line."""
        errors, score = self.errors, self.score
        numbers = [
            str(self.iteration), str(self.env_steps), f"{self.seconds:.0f}", f"{self.model_loss:.3f}",
            *(_number(errors.model[step]) for step in (1, 8, 32)), _number(errors.constant_velocity[8]),
            f"{self.policy_cost:.3f}", f"{self.robot_seconds_per_failure:.1f}",
        ]  # fmt: skip
        numbers += ["", "", ""] if score is None else [
            f"{score.finished}/{score.rollouts}", f"{score.tracking:.3f}", f"{score.r_mpkpe_cm:.1f} cm"
        ]  # fmt: skip
        return " ".join(text.rjust(width) for text, (_, width) in zip(numbers, COLUMNS, strict=True))

    def as_json(self) -> dict:
        """Numbers of the line; None where there is none."""
        values = {
            name: getattr(self, name)
            for name in ("iteration", "env_steps", "seconds", "model_loss", "policy_cost", "robot_seconds_per_failure")
        }
        values |= self.errors.scalars() | ({} if self.score is None else asdict(self.score))
        return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in values.items()}


def header() -> str:
    """Names of the columns."""
    return " ".join(name.rjust(width) for name, width in COLUMNS)


@dataclass
class WorldModelResult:
    """Result of a training."""

    run_folder: Path | None
    checkpoint: Path | None = None
    curve: list[ReportRow] = field(default_factory=list)
    why_ended: str = ""
    exit_code: int = 0
    """0, 1 for a model that diverged, or 143 after SIGTERM."""

    def as_json(self) -> dict:
        """Numbers under stable keys; those of the last scoring, None if there was none."""
        scored = [row for row in self.curve if row.score is not None]
        last = asdict(scored[-1].score) if scored else dict.fromkeys(("finished", "rollouts", "tracking", "r_mpkpe_cm"))
        row = self.curve[-1] if self.curve else None
        return {
            "checkpoint": None if self.checkpoint is None else str(self.checkpoint),
            "env_steps": row.env_steps if row else 0,
            "seconds": row.seconds if row else 0.0,
            **last,
            "why_ended": self.why_ended,
            "curve": [row.as_json() for row in self.curve],
        }


class TrainingProgress:
    """A bar with the time left on stderr, gone at the end, and the table on standard output. A context manager."""

    def __init__(self, quiet: bool = False):
        """Prepare; ``quiet`` shows nothing, as in all processes of a training but the first."""
        columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
        console = Console(stderr=True)
        self._progress = Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=quiet)
        self._quiet = quiet
        self._task = self._progress.add_task("collecting", total=1.0)
        self._has_header = False

    def __enter__(self) -> TrainingProgress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, what: str, used: float) -> None:
        """Say what is being done, and which share of the budget is used."""
        self._progress.update(self._task, description=what, completed=used)

    def row(self, row: ReportRow) -> None:
        """Print a line of the table."""
        if self._quiet:
            return
        if not self._has_header:
            print(header(), flush=True)
            self._has_header = True
        print(row.render(), flush=True)


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
