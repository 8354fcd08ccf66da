"""Progress of a supervised training on the terminal, and what its rounds reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn


@dataclass(frozen=True)
class SftRound:
    """Numbers of a round: collecting, then regression."""

    round: int
    """0 is the one in which the expert acts."""
    num_samples: int
    """Samples of this round."""
    total_samples: int
    """Samples that the regression had."""
    robot_seconds_per_failure: float
    """Of whoever acted: the expert in round 0, then the student as the round before left it [s]."""
    failures: int
    loss: float
    """Huber loss over the last steps of the regression."""
    action_error: float
    """Root mean square error over samples held out, in action units."""
    seconds: float
    """Wall time since the start of the command [s]."""

    def describe(self) -> str:
        """One line for a log."""
        return (
            f"Round {self.round}: {self.robot_seconds_per_failure:.1f} s of robot time per failure while the"
            f" {'student' if self.round else 'expert'} acted, {self.total_samples} samples, action error"
            f" {self.action_error:.3f}, {self.seconds:.0f} s"
        )


@dataclass
class SftResult:
    """Result of a supervised training."""

    run_folder: Path
    checkpoint: Path
    expert: str
    rounds: list[SftRound] = field(default_factory=list)
    exit_code: int = 0
    """0, or 143 after SIGTERM."""

    def render(self) -> str:
        """A plain table for a terminal."""
        head = f"{'round':>5} {'acts':>8} {'samples':>9} {'s/failure':>10} {'error':>7} {'seconds':>8}"
        rows = [
            f"{row.round:>5} {'student' if row.round else 'expert':>8} {row.total_samples:>9}"
            f" {row.robot_seconds_per_failure:>10.1f} {row.action_error:>7.3f} {row.seconds:>8.0f}"
            for row in self.rounds
        ]
        return "\n".join([head, *rows])

    def as_json(self) -> dict:
        """Numbers under stable keys."""
        return {
            "checkpoint": str(self.checkpoint),
            "expert": self.expert,
            "rounds": [asdict(row) for row in self.rounds],
        }


class RoundProgress:
    """A bar for the phase at work; on stderr, and gone at the end. A context manager."""

    def __init__(self):
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)

    def __enter__(self) -> RoundProgress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @contextmanager
    def phase(self, name: str) -> Iterator[Callable[[float], None]]:
        """Show a phase; gives the function to call with the share of it that is done."""
        task = self._progress.add_task(name, total=1.0)
        try:
            yield lambda share: self._progress.update(task, completed=share)
        finally:
            self._progress.remove_task(task)
