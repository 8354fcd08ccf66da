"""A Ray worker's task: run one command in a folder that all machines share, and return its outcome."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from whole_body_tracking import __version__
from whole_body_tracking.code_version import code_commit

from .launching import Command, LoggedProcess, failure_message

POLL_SECONDS = 0.2
BIND = (
    "import ctypes, os, signal, sys; ctypes.CDLL(None).prctl(1, signal.SIGKILL);"
    "os.getppid() == int(sys.argv[1]) or sys.exit(1); os.execvp(sys.argv[2], sys.argv[2:])"
)
"""Program that becomes another one and is killed when its parent dies (prctl 1 is PR_SET_PDEATHSIG on Linux)."""


@dataclass(frozen=True)
class Site:
    """Paths and versions that every machine shares with the one that the command line was typed on."""

    mark: Path
    """File in the shared folder."""
    token: str
    """Its content."""
    version: str
    """Version and commit of this package."""

    def require(self) -> None:
        """Check that this machine has it.

        Raises:
            FileNotFoundError: If it does not see the folder.
            ValueError: If it has another version of the package.
        """
        host = socket.gethostname()
        if not self.mark.is_file() or self.mark.read_text() != self.token:
            raise FileNotFoundError(
                f"Machine {host} does not see the folder {self.mark.parent}. Jobs on Ray read and write files there:"
                " give an --output_dir on a file system that all machines mount at the same path."
            )
        if self.version != code_version():
            raise ValueError(
                f"Machine {host} has whole_body_tracking {code_version()}, the one that submits {self.version}."
                " Install the same version on all machines."
            )


@dataclass(frozen=True)
class Outcome:
    """Outcome of a command."""

    host: str
    exit_status: int
    """0 for success, -N after signal N."""
    message: str
    """Last lines of the log of a command that failed."""


def code_version() -> str:
    """Version of this package, and the commit of its checkout if it is one."""
    return f"{__version__} ({code_commit() or 'no commit'})"


def run_command(command: Command, site: Site, num_cores: int) -> Outcome:
    """Run a command to its end; it is killed if this process dies, so that a retry never meets it.

    Args:
        command: What to run.
        site: What is checked first.
        num_cores: CPU cores that the command keeps to.

    Raises:
        FileNotFoundError: If this machine does not see the folder.
        KeyboardInterrupt: If the job is cancelled; the command has got SIGTERM and has ended.
        ValueError: If this machine has another version of the package.
    """
    site.require()
    words = (sys.executable, "-c", BIND, str(os.getpid()), *command.words)
    with claimed_cores(num_cores) as cores:
        process = LoggedProcess(words, command.folder, command.log, command.append)
        try:
            if cores:
                os.sched_setaffinity(process.pid, cores)
            while not process.has_ended(POLL_SECONDS):
                pass
        finally:
            process.terminate()
            process.wait()
    message = failure_message(command.program, command.log) if process.exit_status else ""
    return Outcome(socket.gethostname(), process.exit_status, message)


@contextlib.contextmanager
def claimed_cores(count: int) -> Iterator[tuple[int, ...]]:
    """CPU cores of this machine that no other job on Ray has claimed; empty if there are not enough, or count is 0.

    Engines on the CPU start a thread for each core that they may use, so two that used all would slow each other down.
    """
    folder = Path(tempfile.gettempdir(), f"whole_body_tracking_cores_{os.getuid()}")
    folder.mkdir(exist_ok=True)
    claimed: list[int] = []
    with contextlib.ExitStack() as stack:
        for core in sorted(os.sched_getaffinity(0)):
            if len(claimed) == count:
                break
            file = stack.enter_context((folder / str(core)).open("w"))
            with contextlib.suppress(BlockingIOError):  # another job has it
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # given back when this process ends, however it ends
                claimed.append(core)
        yield tuple(claimed) if len(claimed) == count else ()
