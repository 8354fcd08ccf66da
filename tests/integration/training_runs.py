"""Helpers that call the scripts and read the files of a training run."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

REPOSITORY = Path(__file__).parents[2]
TASK = "Tracking-Flat-G1-v0"
TIMINGS = {"total_time", "collect_time", "learn_time"}
"""Columns of ``progress.csv`` that differ from run to run."""


def script(*arguments: object) -> list[str]:
    """Command line of a script under ``scripts/rsl_rl``."""
    name, *rest = arguments
    return [sys.executable, str(REPOSITORY / "scripts" / "rsl_rl" / str(name)), *map(str, rest)]


def start(command: list[str], folder: Path) -> subprocess.Popen:
    """Start a command in a folder, with one compute thread."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True)


def finish(process: subprocess.Popen, status: int = 0, timeout: float = 300.0) -> tuple[str, str]:
    """Wait for a process, check its exit status and return what it printed."""
    out, err = process.communicate(timeout=timeout)
    assert process.returncode == status, f"exit status {process.returncode}\n{out[-3000:]}\n{err[-4000:]}"
    return out, err


def run(command: list[str], folder: Path, status: int = 0) -> tuple[str, str]:
    """Run a command to its end; standard output and error."""
    return finish(start(command, folder), status)


def wait_for(condition: Callable[[], object], process: subprocess.Popen, timeout: float = 240.0) -> None:
    """Wait until a running process has brought something about."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def run_folder(folder: Path) -> Path:
    """The only run below a folder."""
    (found,) = folder.glob("logs/rsl_rl/g1_flat/*")
    return found


def progress(run: Path) -> list[dict[str, str]]:
    """Rows of ``progress.csv`` without wall-clock times."""
    with (run / "progress.csv").open(newline="") as file:
        return [{key: value for key, value in row.items() if key not in TIMINGS} for row in csv.DictReader(file)]


def iterations(run: Path) -> list[int]:
    """Iterations that the checkpoints of a run have, in order."""
    return sorted(int(path.stem.split("_")[1]) for path in run.glob("model_*.pt"))


def checkpoint(run: Path, iteration: int) -> dict:
    """Content of a checkpoint, read as data only."""
    return torch.load(run / f"model_{iteration}.pt", weights_only=True)
