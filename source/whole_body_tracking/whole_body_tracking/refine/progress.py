"""A bar for each method of each clip, with the time left."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from .job import RefinedClip, RefinementJob, run_job


class MethodProgress:
    """Shows how far the method at work is; on stderr, and gone at the end. A context manager."""

    def __init__(self, num_clips: int):
        """Prepare for this many clips."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._clips = self._progress.add_task("clips", total=num_clips, visible=num_clips > 1)
        self._method = self._progress.add_task("", total=1.0)
        self._shown = ""

    def __enter__(self) -> MethodProgress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def follow(self, job: RefinementJob) -> Iterator[RefinedClip]:
        """Run a job and show where it is."""
        for result in run_job(job, self._report):
            yield result
            self._progress.advance(self._clips)

    def _report(self, clip: str, method: str, share: float) -> None:
        label = f"{clip}: {method}"
        if label != self._shown:
            self._progress.reset(self._method, description=label)
            self._shown = label
        self._progress.update(self._method, completed=share)
