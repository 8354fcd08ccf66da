"""Wall time of work that a device may still be doing when the call returns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch


def synchronize(device: str | torch.device) -> None:
    """Wait until a CUDA device has done all its work; nothing on the CPU."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


@dataclass(frozen=True)
class Timing:
    """Duration of a call."""

    wall: float
    """Wall time, the device's work included [s]."""
    cpu: float
    """CPU time of all threads of this process [s], which other processes on the machine hardly change."""


def timing_of(call: Callable[[], object], device: str | torch.device = "cpu") -> Timing:
    """Time a call."""
    synchronize(device)
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    synchronize(device)
    return Timing(time.perf_counter() - wall, time.process_time() - cpu)


def median_milliseconds(call: Callable[[], object], device: str | torch.device = "cpu", repetitions: int = 50) -> float:
    """Median wall time of a short call after a warm-up [ms]."""
    for _ in range(3):
        call()
    return 1e3 * statistics.median(timing_of(call, device).wall for _ in range(repetitions))
