"""The run service: saving, stopping, continuing and tidying up a training run, whatever the algorithm.

PPO, distillation, supervised training and a world model differ in what an iteration does and in what a checkpoint
holds. That a checkpoint is complete when it has its name, that SIGTERM ends training with one, and that a continued run
draws the random numbers it would have drawn, is the same for all and stands here.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from whole_body_tracking.files import remove_partial_files, replacing
from whole_body_tracking.progress_table import ProgressTable

from . import distributed, random_state

Check = Callable[[int, dict[str, float]], None]
"""Called with an iteration and its row of ``progress.csv``; raises :class:`StopTraining` to end training."""


class StopTraining(Exception):
    """Raised between two iterations to end training early; the run saves first."""

    def __init__(self, reason: str, exit_code: int = 0):
        super().__init__(reason)
        self.exit_code = exit_code


class TrainingRun:
    """One training run on disk and the reasons that end it.

    A trainer calls :meth:`session` around its loop, :meth:`end_iteration` after each iteration and :meth:`save` with
    the content of a checkpoint.
    """

    def __init__(self, folder: str | Path | None, device: str = "cpu"):
        """Prepare a run.

        Args:
            folder: Where it writes; None writes nothing.
            device: Device whose random numbers a checkpoint stores.
        """
        self.folder = None if folder is None else Path(folder)
        self.device = device
        self.next_iteration = 0
        """Iterations done, earlier sessions of the run included."""
        self.companions: list[Callable[[Path], Any]] = []
        """Write what belongs to a checkpoint, such as the exported policy; each is called with the checkpoint's path
        before the checkpoint gets its name."""
        self.checks: list[Check] = []
        self.stop_reason: StopTraining | None = None
        self.progress = None if self.folder is None else ProgressTable(self.folder)
        self._terminated = threading.Event()

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """Remove what a killed session left behind, and turn SIGTERM into an end after the current iteration."""
        if self.folder is not None and self.folder.is_dir():
            self.progress.rewind(self.next_iteration)
            remove_partial_files(self.folder)
        previous = signal.signal(signal.SIGTERM, lambda *_: self._terminated.set())
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, previous)

    def end_iteration(self, iteration: int, row: dict[str, float]) -> None:
        """Count an iteration, run the checks, and end training in all processes if one has a reason to.

        Raises:
            StopTraining: If training ends.
        """
        self.next_iteration = iteration + 1
        stop = self._own_reason_to_stop(iteration, row)
        status = distributed.largest(-1 if stop is None else stop.exit_code)
        if status >= 0:
            self.stop_reason = stop or StopTraining("another process stops training", exit_code=status)
            raise self.stop_reason

    def save(self, path: str | Path, content: dict) -> None:
        """Write a checkpoint and its companions; the checkpoint gets its name last.

        So where a checkpoint is, all that belongs to it is there, whenever the process was killed. A companion that
        fails is an error, but costs no checkpoint.

        Args:
            path: Path of the checkpoint.
            content: Tensors and plain values; the random numbers' state is added.
        """
        path, failure = Path(path), None
        with replacing(path, sync=True) as partial:
            torch.save(content | {"random_state": random_state.capture(self.device)}, partial)
            try:
                for write in self.companions:
                    write(path)
            except BaseException as error:
                failure = error
        if failure is not None:
            raise failure

    def restore_random_numbers(self, content: dict, rank: int = 0) -> None:
        """Continue a checkpoint's random numbers, if it holds them; the oldest ones do not."""
        if "random_state" in content:
            random_state.restore(content["random_state"], self.device, rank)

    def _own_reason_to_stop(self, iteration: int, row: dict[str, float]) -> StopTraining | None:
        reason = None
        try:
            for check in self.checks:  # first: every process has to take part in what a check asks of all
                check(iteration, row)
        except StopTraining as stop:
            reason = stop
        if self._terminated.is_set():
            reason = StopTraining("SIGTERM received", exit_code=128 + signal.SIGTERM)
        return reason
