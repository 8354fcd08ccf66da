"""Description of the machine that the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

import torch

PACKAGES = ("whole-body-tracking", "isaaclab", "rsl-rl-lib", "torch", "newton", "mujoco", "warp-lang", "ovphysx")


def describe_machine(device: str) -> dict:
    """Processor, cores that this process may use, accelerator, threads and versions."""
    installed = {dist.metadata["Name"].lower(): dist.version for dist in metadata.distributions()}
    is_cuda = torch.device(device).type == "cuda"
    return {
        "processor": processor_name(),
        "cores": num_cores(),
        "device": device,
        "accelerator": torch.cuda.get_device_name(device) if is_cuda else None,
        "torch_threads": torch.get_num_threads(),
        "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY"),
        "python": platform.python_version(),
        "versions": {name: installed.get(name) for name in PACKAGES},
    }


def num_cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_average() -> float | None:
    """Processes that wanted a core in the last minute, this one included; None where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def processor_name() -> str:
    """Model of the processor as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
