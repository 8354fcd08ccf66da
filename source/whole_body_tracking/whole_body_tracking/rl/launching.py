"""Scripts of this project in processes of their own: an engine can be started once in a process.

Every training gets a working folder of its own, so that its run folder is the only one below it and a second call goes
on where the first was stopped.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from whole_body_tracking.evaluation.files import write_json

FINISHED_FILE = "training.json"
"""Appears in the working folder of a training that used up its budget; holds its arguments."""
POLL_SECONDS = 1.0
LOG_TAIL = 8
"""Lines of a failed process' log that its error quotes."""


def script_command(*parts: str) -> list[str]:
    """Start of the command line of a script, given by its path below ``scripts/``."""
    return [sys.executable, str(Path(__file__).parents[4] / "scripts" / Path(*parts))]


def run_logged(
    command: Sequence[object], folder: Path, log: Path, watch: Callable[[], None] | None = None, append: bool = False
) -> None:
    """Run a command in a folder to its end with everything it prints in a log; SIGTERM and Ctrl-C reach it too.

    Args:
        command: Program and arguments.
        folder: Working folder of the command; it is created.
        log: File for standard output and error.
        watch: Called about once a second while the command runs.
        append: Whether to keep what the log already holds.

    Raises:
        ChildProcessError: If the exit status is not 0; the message ends with the log's last lines.
        KeyboardInterrupt: If this process got SIGTERM or Ctrl-C; the command has ended then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("a" if append else "w") as file:
        process = subprocess.Popen([*map(str, command)], cwd=folder, stdout=file, stderr=subprocess.STDOUT)
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        while not _ended(process):
            if watch is not None:
                watch()
    finally:
        signal.signal(signal.SIGTERM, previous)
        if process.poll() is None:
            process.terminate()
            process.wait()
    if process.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL:])
        raise ChildProcessError(f"`{Path(str(command[1])).name}` failed. End of {log}:\n{tail}")


def train_to_end(
    folder: Path,
    arguments: Sequence[object],
    max_minutes: float | None = None,
    watch: Callable[[], None] | None = None,
) -> Path:
    """Train with ``train.py`` until the budget is used up and return the run folder.

    A training that was stopped goes on from its newest checkpoint; one that has ended is not started again.

    Args:
        folder: Working folder of this training alone; ``train.log`` and ``logs/`` appear in it.
        arguments: Command line of ``train.py`` without ``--max_minutes``; paths must be absolute.
        max_minutes: Budget of training time, earlier sessions included [min]; None leaves it to ``arguments``.
        watch: Called about once a second while training runs.

    Raises:
        ChildProcessError: If training fails; the message ends with the last lines of its log.
        ValueError: If the folder holds a finished training with other arguments.
    """
    budget = {"arguments": [str(argument) for argument in arguments], "max_minutes": max_minutes}
    if _is_finished(folder, budget):
        return run_folder_in(folder)
    run = run_folder_in(folder) if _has_checkpoint(folder) else None
    spent = read_progress(run)[-1]["total_time"] / 60.0 if run is not None and read_progress(run) else 0.0
    if max_minutes is None or spent < max_minutes:
        command = [*script_command("rsl_rl", "train.py"), *arguments]
        command += ["--max_minutes", max_minutes - spent] if max_minutes is not None else []
        command += ["--checkpoint", "latest"] if run is not None else []
        run_logged(command, folder, folder / "train.log", watch, append=run is not None)
    write_json(folder / FINISHED_FILE, budget)
    return run_folder_in(folder)


def run_folder_in(folder: Path) -> Path:
    """Newest run folder with a checkpoint below a training's working folder.

    Raises:
        FileNotFoundError: If there is none.
    """
    runs = {path.parent for path in folder.glob("logs/rsl_rl/*/*/model_*.pt")}
    if not runs:
        raise FileNotFoundError(f"{folder} holds no training run with a checkpoint.")
    return max(runs, key=lambda run: run.stat().st_mtime)


def read_progress(run: Path) -> list[dict[str, float]]:
    """Rows of a run's ``progress.csv``; empty while there is none."""
    path = run / "progress.csv"
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]


def latest_progress(folder: Path) -> dict[str, float] | None:
    """Last row of the ``progress.csv`` that was written to most recently below a training's working folder."""
    files = sorted(folder.glob("logs/rsl_rl/*/*/progress.csv"), key=os.path.getmtime)
    rows = read_progress(files[-1].parent) if files else []
    return rows[-1] if rows else None


def _ended(process: subprocess.Popen) -> bool:
    try:
        process.wait(timeout=POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _interrupt(*_) -> None:
    raise KeyboardInterrupt


def _has_checkpoint(folder: Path) -> bool:
    return any(folder.glob("logs/rsl_rl/*/*/model_*.pt"))


def _is_finished(folder: Path, budget: dict) -> bool:
    marker = folder / FINISHED_FILE
    if not marker.is_file():
        return False
    found = json.loads(marker.read_text())
    if found != budget:
        raise ValueError(
            f"{folder} holds a training with other settings: {' '.join(found['arguments'])}, {found['max_minutes']}"
            f" minutes; now {' '.join(budget['arguments'])}, {budget['max_minutes']} minutes. Choose another folder."
        )
    return True
