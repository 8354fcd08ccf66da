"""Wall time of work that a device may still be doing when the call returns."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch


def synchronize(device: str | torch.device) -> None:
    """Wait until a CUDA device has done all its work; nothing on the CPU."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(call: Callable[[], object], device: str | torch.device = "cpu") -> float:
    """Wall time of a call, the device's work included [s]."""
    synchronize(device)
    started = time.perf_counter()
    call()
    synchronize(device)
    return time.perf_counter() - started


def median_milliseconds(call: Callable[[], object], device: str | torch.device = "cpu", repetitions: int = 50) -> float:
    """Median wall time of a short call after a warm-up [ms]."""
    for _ in range(5):
        call()
    times = sorted(seconds_of(call, device) for _ in range(repetitions))
    return 1e3 * times[len(times) // 2]
