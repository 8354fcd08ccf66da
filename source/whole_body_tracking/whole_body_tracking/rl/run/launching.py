"""Scripts of this project in processes of their own: an engine can be started once in a process.

Every training gets a working folder of its own, so that its run folder is the only one below it and a second call goes
on where the first was stopped.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from whole_body_tracking.files import write_json

FINISHED_FILE = "training.json"
"""Appears in the working folder of a training that used up its budget; holds its arguments."""
POLL_SECONDS = 1.0
LOG_TAIL = 8
"""Lines of a failed process' log that its error quotes."""


def script_command(*parts: str) -> list[str]:
    """Start of the command line of a script, given by its path below ``scripts/``."""
    return [sys.executable, str(Path(__file__).parents[5] / "scripts" / Path(*parts))]


def torchrun_command(num_processes: int, *parts: str) -> list[str]:
    """Start of the command line of a script in several processes of this machine, with ``--distributed``."""
    python, script = script_command(*parts)
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(num_processes)]
    return [python, *launcher, script, "--distributed"]


def program_of(words: Sequence[object]) -> str:
    """Name of the script in a command line, or of its second word if there is none."""
    names = [Path(str(word)).name for word in words[1:]]
    return next((name for name in names if name.endswith(".py")), names[0])


class LoggedProcess:
    """A command that runs in a folder of its own, with everything it prints in a log."""

    def __init__(self, command: Sequence[object], folder: Path, log: Path, append: bool = False):
        """Start the command.

        Args:
            command: Program and arguments.
            folder: Working folder of the command; it is created.
            log: File for standard output and error.
            append: Whether to keep what the log already holds.
        """
        self._program, self._log = program_of(command), log
        folder.mkdir(parents=True, exist_ok=True)
        with log.open("a" if append else "w") as file:
            self._process = subprocess.Popen([*map(str, command)], cwd=folder, stdout=file, stderr=subprocess.STDOUT)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def has_ended(self, timeout: float = 0.0) -> bool:
        """Whether the command has ended, after waiting for it at most this long [s]."""
        try:
            self._process.wait(timeout=timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def terminate(self) -> None:
        """Ask the command to end; a training saves first."""
        if self._process.poll() is None:
            self._process.terminate()

    def wait(self) -> None:
        """Return once the command has ended."""
        self._process.wait()

    @property
    def exit_status(self) -> int | None:
        """0 for success, -N after signal N, None while the command runs."""
        return self._process.returncode

    def require_success(self) -> None:
        """Check the exit status.

        Raises:
            ChildProcessError: If it is not 0; the message ends with the log's last lines.
        """
        if self.exit_status != 0:
            raise ChildProcessError(failure_message(self._program, self._log))


def failure_message(program: str, log: Path) -> str:
    """Message about a command that failed, with the last lines of its log."""
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL:])
    return f"`{program}` failed. End of {log}:\n{tail}"


@dataclass(frozen=True)
class Command:
    """A command line with the folder that it runs in and its log."""

    words: tuple[str, ...]
    """Program and arguments."""
    folder: Path
    log: Path
    append: bool = False
    """Whether to keep what the log already holds."""

    @property
    def program(self) -> str:
        """Name of the script."""
        return program_of(self.words)

    def start(self) -> LoggedProcess:
        """Start the command."""
        return LoggedProcess(self.words, self.folder, self.log, self.append)


@contextlib.contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Make SIGTERM raise KeyboardInterrupt, as Ctrl-C does."""
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def run_logged(
    command: Sequence[object], folder: Path, log: Path, watch: Callable[[], None] | None = None, append: bool = False
) -> None:
    """Run a command in a folder to its end with everything it prints in a log; SIGTERM and Ctrl-C reach it too.

    Args:
        command: Program and arguments.
        folder: Working folder of the command; it is created.
        log: File for standard output and error.
        watch: Called about once per second while the command runs.
        append: Whether to keep what the log already holds.

    Raises:
        ChildProcessError: If the exit status is not 0; the message ends with the log's last lines.
        KeyboardInterrupt: If this process got SIGTERM or Ctrl-C; the command has ended then.
    """
    run_to_end(lambda: LoggedProcess(command, folder, log, append), watch)


def run_to_end(start: Callable[[], LoggedProcess], watch: Callable[[], None] | None = None) -> None:
    """Start a command and wait for its end; see :func:`run_logged`."""
    with interrupted_by_sigterm():
        process = start()
        try:
            while not process.has_ended(POLL_SECONDS):
                if watch is not None:
                    watch()
        finally:
            process.terminate()
            process.wait()
    process.require_success()


@dataclass(frozen=True)
class Training:
    """A training with ``train.py`` in a working folder of its own, in as many sessions as it takes."""

    folder: Path
    """``train.log`` and ``logs/`` appear in it."""
    arguments: tuple[str, ...]
    """Command line without ``--max_minutes`` and without where to run; paths must be absolute."""
    max_minutes: float | None = None
    """Budget of training time over all sessions [min]; None leaves it to :attr:`arguments`."""

    @property
    def is_finished(self) -> bool:
        """Whether the budget was used up.

        Raises:
            ValueError: If the folder holds a finished training with other arguments.
        """
        return _is_finished(self.folder, self._budget)

    @property
    def run(self) -> Path | None:
        """Run folder of the sessions so far, or None while there is no checkpoint."""
        return run_folder_in(self.folder) if _has_checkpoint(self.folder) else None

    @property
    def minutes_left(self) -> float | None:
        """Minutes left of :attr:`max_minutes`; None if there is no such budget."""
        run = self.run
        rows = read_progress(run) if run is not None else []
        spent = rows[-1]["total_time"] / 60.0 if rows else 0.0
        return None if self.max_minutes is None else max(0.0, self.max_minutes - spent)

    def start(self, *where: object) -> LoggedProcess:
        """Start the next session; see :meth:`command`."""
        return self.command(*where).start()

    def command(self, *where: object) -> Command:
        """Command of the next session, which goes on from the newest checkpoint.

        Args:
            where: Further arguments that do not change what is trained, such as ``--device``.
        """
        command, left, run = (
            [*script_command("rsl_rl", "train.py"), *self.arguments, *where],
            self.minutes_left,
            self.run,
        )
        command += ["--max_minutes", str(left)] if left is not None else []
        command += ["--checkpoint", "latest"] if run is not None else []
        return Command(tuple(map(str, command)), self.folder, self.folder / "train.log", append=run is not None)

    def steps(self, *where: object) -> Iterator[Command]:
        """Command of the next session if there is anything left to train; notes the end when it has succeeded.

        Raises:
            ValueError: If the folder holds a finished training with other arguments.
        """
        if self.is_finished:
            return
        if self.minutes_left != 0.0:
            yield self.command(*where)
        self.finish()

    def finish(self) -> Path:
        """Note that the budget is used up and return the run folder.

        Raises:
            FileNotFoundError: If there is no run with a checkpoint.
        """
        run = run_folder_in(self.folder)
        write_json(self.folder / FINISHED_FILE, self._budget)
        return run

    @property
    def _budget(self) -> dict:
        return {"arguments": list(self.arguments), "max_minutes": self.max_minutes}


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
        watch: Called about once per second while training runs.

    Raises:
        ChildProcessError: If training fails; the message ends with the last lines of its log.
        ValueError: If the folder holds a finished training with other arguments.
    """
    training = Training(folder, tuple(map(str, arguments)), max_minutes)
    for command in training.steps():
        run_to_end(command.start, watch)
    return run_folder_in(folder)


def run_folder_in(folder: Path) -> Path:
    """Newest run folder with a checkpoint below a training's working folder.

    Raises:
        FileNotFoundError: If there is none.
    """
    runs = {path.parent for path in folder.glob("logs/rsl_rl/*/*/model_*.pt")}
    if not runs:
        raise FileNotFoundError(f"{folder} contains no training run with a checkpoint.")
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


def _interrupt(*_) -> None:
    raise KeyboardInterrupt


def _has_checkpoint(folder: Path) -> bool:
    return any(folder.glob("logs/rsl_rl/*/*/model_*.pt"))


def _is_finished(folder: Path, budget: dict) -> bool:
    marker = folder / FINISHED_FILE
    if not marker.is_file():
        return False
    found = json.loads(marker.read_text())
    if found["arguments"] == budget["arguments"] and (found["max_minutes"] or 0.0) < (budget["max_minutes"] or 0.0):
        return False  # a larger budget goes on
    if found != budget:
        raise ValueError(
            f"{folder} holds a training with other settings: {' '.join(found['arguments'])}, {found['max_minutes']}"
            f" minutes; now {' '.join(budget['arguments'])}, {budget['max_minutes']} minutes. Choose another folder."
        )
    return True
