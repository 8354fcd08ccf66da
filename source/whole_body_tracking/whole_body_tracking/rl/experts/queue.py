"""Trainings one after another on each device, several devices at the same time."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..run.launching import LoggedProcess, interrupted_by_sigterm

POLL_SECONDS = 0.2


class Job(Protocol):
    """A job that a queue can run."""

    def start(self, device: str) -> LoggedProcess:
        """Start the job on a device."""


@dataclass(frozen=True)
class Slot:
    """Room for one training at a time."""

    device: str
    cores: tuple[int, ...] = ()
    """CPU cores that its processes keep to; empty for all."""


def make_slots(devices: Sequence[str], jobs: int = 1) -> list[Slot]:
    """Slots of the devices, ``jobs`` each; those on the CPU share its cores evenly, if there is one for each.

    Engines on the CPU start a thread for each core that they may use, so two that used all would slow each other down.
    """
    names = [device for device in devices for _ in range(jobs)]
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    num_on_cpu = names.count("cpu")
    shared = 1 < num_on_cpu <= len(cores)
    places = iter(range(num_on_cpu))
    return [Slot(name, tuple(cores[next(places) :: num_on_cpu]) if shared and name == "cpu" else ()) for name in names]


def run_queue[J: Job](
    jobs: Iterable[J], slots: Sequence[Slot], ended: Callable[[J, ChildProcessError | None], None]
) -> None:
    """Run jobs in their order, each as soon as a slot is free, to the end of the last.

    Args:
        jobs: What to run.
        slots: Where.
        ended: Called when a job has ended, with what went wrong or None.

    Raises:
        KeyboardInterrupt: On SIGTERM or Ctrl-C, once all running jobs have ended.
    """
    waiting, running = deque(jobs), dict[int, tuple[J, LoggedProcess]]()
    free = deque(range(len(slots)))
    with interrupted_by_sigterm():
        try:
            while waiting or running:
                while waiting and free:
                    place, job = free.popleft(), waiting.popleft()
                    running[place] = job, _start(job, slots[place])
                for place in [place for place, (_, process) in running.items() if process.has_ended()]:
                    job, process = running.pop(place)
                    free.append(place)
                    ended(job, _failure(process))
                time.sleep(POLL_SECONDS)
        finally:
            _stop([process for _, process in running.values()])


def _start(job: Job, slot: Slot) -> LoggedProcess:
    process = job.start(slot.device)
    if slot.cores:
        os.sched_setaffinity(process.pid, slot.cores)  # before it counts its cores
    return process


def _failure(process: LoggedProcess) -> ChildProcessError | None:
    try:
        process.require_success()
    except ChildProcessError as error:
        return error
    return None


def _stop(processes: Sequence[LoggedProcess]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait()
