"""Bars on stderr with the time left, gone at the end."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class _Bar:
    def __init__(self, name: str, total: float):
        columns = (TextColumn(name), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task(name, total=total)

    def __enter__(self):
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


class EpochProgress(_Bar):
    """Share of a training that is done. A context manager."""

    def __init__(self, num_epochs: int):
        super().__init__("epochs", num_epochs)
        self._done = 0

    def advance(self) -> None:
        """One more epoch is done."""
        self._done += 1
        self._progress.update(self._task, completed=self._done)

    def advance_to(self, done: int) -> None:
        """So many are done."""
        self._done = done
        self._progress.update(self._task, completed=done)

    def report(self, share: float) -> None:
        """Share of the present epoch."""
        self._progress.update(self._task, completed=self._done + share)


class StepProgress(_Bar):
    """Steps of rollouts that are done. A context manager."""

    def __init__(self, num_steps: int):
        super().__init__("steps", num_steps)

    def report(self) -> None:
        """One more step is done."""
        self._progress.advance(self._task)
