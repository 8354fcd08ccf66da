"""Steps of a demo: scripts in processes of their own, with a bar, the time left, and their times kept over sessions."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from whole_body_tracking.files import write_json
from whole_body_tracking.rl.run.launching import run_logged

TIMES = "steps.json"
"""Seconds of every step in the demo's folder, all sessions together."""
DONE_OF = re.compile(r"\b(\d+) of (\d+)\b")

console = Console()


class DemoSteps:
    """Runs the steps of a demo and keeps their times, so that a demo that was stopped knows what it has used up."""

    def __init__(self, folder: Path, minutes: float):
        """Read the times of earlier sessions.

        Args:
            folder: Of the demo; logs go there.
            minutes: Budget of the whole demo.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.minutes = folder, minutes
        path = folder / TIMES
        self._seconds: dict[str, float] = json.loads(path.read_text()) if path.is_file() else {}

    @property
    def used(self) -> float:
        """Time of all steps so far [min]."""
        return sum(self._seconds.values()) / 60.0

    @property
    def left(self) -> float:
        """What is left of the budget [min]; negative if it is used up."""
        return self.minutes - self.used

    def run(self, step: str, command: Sequence[object]) -> None:
        """Run a command with its log in ``STEP.log``, from whose last line "N of M" the bar is drawn.

        Raises:
            ChildProcessError: If it fails; the message names the log.
            KeyboardInterrupt: If the demo was stopped; the command has ended then.
        """
        log = self.folder / f"{step}.log"
        self.watched(
            step, lambda watch: run_logged(command, self.folder, log, watch), lambda: (share_in_log(log), "", None)
        )

    def watched(
        self,
        step: str,
        work: Callable[[Callable[[], None]], None],
        look: Callable[[], tuple[float | None, str, float | None]],
    ) -> None:
        """Do some work with a bar and keep its time.

        Args:
            step: Its name.
            work: What to do; calls what it is given about once per second.
            look: Share that is done in [0, 1], None if nobody knows; what to say about it; minutes that the step still
                takes, None to estimate them from the share.
        """
        started, before = time.monotonic(), self._seconds.get(step, 0.0)
        columns = TextColumn("{task.fields[step]}"), BarColumn(), TextColumn("{task.description}")
        try:
            with Progress(*columns, console=console) as bar:
                task = bar.add_task("starting", total=None, step=step)

                def watch() -> None:
                    self._seconds[step] = before + time.monotonic() - started
                    self._show(bar, task, look(), (time.monotonic() - started) / 60.0)

                work(watch)
                bar.update(task, total=1.0, completed=1.0, description="done")
        finally:
            self._seconds[step] = before + time.monotonic() - started
            write_json(self.folder / TIMES, self._seconds)
        console.print(f"[green]done[/green] {step} ({self._seconds[step]:.0f} s, {self.used:.1f} min in all)")

    def _show(self, bar: Progress, task: TaskID, seen: tuple[float | None, str, float | None], minutes: float) -> None:
        share, text, rest = seen
        if rest is None and share:
            rest = minutes * (1.0 - share) / share
        parts = [text] if text else []
        if rest is not None:
            parts.append(f"{rest:.1f} min left of this step")
        parts.append(f"{max(self.left, rest or 0.0):.1f} min left in all")
        bar.update(task, total=None if share is None else 1.0, completed=share or 0.0, description=", ".join(parts))


def share_in_log(log: Path) -> float | None:
    """What the last "N of M" in the last lines of a log says, in [0, 1]; None if there is none."""
    if not log.is_file():
        return None
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 2000))
        found = DONE_OF.findall(file.read().decode(errors="replace"))
    if not found or not int(found[-1][1]):
        return None
    done, total = map(int, found[-1])
    return min(1.0, done / total)
