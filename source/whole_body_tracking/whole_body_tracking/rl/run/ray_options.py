"""Command line of jobs on a Ray cluster, with the names that Isaac Lab's own Ray scripts use."""

from __future__ import annotations

import argparse
import importlib.util
from dataclasses import dataclass

LOCAL = "local"


@dataclass(frozen=True)
class RayOptions:
    """The cluster that runs the jobs of a call, and the resources of each job."""

    address: str
    """``local`` starts a cluster on this machine; otherwise the address of one, or ``auto`` for one that runs here."""
    cpu_per_worker: float = 1.0
    """CPU cores of each job."""
    gpu_per_worker: float | None = None
    """GPUs of each job; None takes one if the cluster has any."""
    ram_gb_per_worker: float = 0.0
    """Memory of each job [GiB]; 0 does not ask for any."""
    num_workers: int | None = None
    """Jobs at the same time at most; None takes as many as the cluster has room for."""
    max_retries: int = 3
    """How often a job whose machine or process died is started again."""


def add_ray_args(parser: argparse.ArgumentParser) -> None:
    """Add ``--ray`` and what each job takes of the cluster."""
    group = parser.add_argument_group("Ray")
    group.add_argument("--ray", metavar="local|ADDRESS", help="Run the jobs on a Ray cluster, or on a local one.")
    group.add_argument("--cpu_per_worker", type=float, help="CPU cores of each job; default: 1.")
    group.add_argument("--gpu_per_worker", type=float, help="GPUs of each job; default: 1 if the cluster has any.")
    group.add_argument("--ram_gb_per_worker", type=float, help="Memory of each job [GiB]; default: not asked for.")
    group.add_argument("--num_workers", type=int, help="Jobs at the same time; default: what the cluster has room for.")
    group.add_argument("--max_retries", type=int, help="Starts of a job after its machine or process died; default: 3.")


def ray_options(args: argparse.Namespace) -> RayOptions | None:
    """Options of a command line, or None without ``--ray``.

    Raises:
        ValueError: If a number is wrong, an option is given without ``--ray``, or Ray is not installed.
    """
    names = ("cpu_per_worker", "gpu_per_worker", "ram_gb_per_worker", "num_workers", "max_retries")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    if args.ray is None:
        if given:
            raise ValueError(f"{', '.join(f'--{name}' for name in given)}: only with --ray local or --ray ADDRESS.")
        return None
    wrong = [f"--{name} {value:g}" for name, value in given.items() if value < (name == "num_workers")]
    if wrong:
        raise ValueError(f"{', '.join(wrong)}: expected 0 or more, and at least 1 for --num_workers.")
    require_ray()
    return RayOptions(args.ray, **given)


def require_ray() -> None:
    """Check that Ray is installed.

    Raises:
        ValueError: If it is not; the message names the extra.
    """
    if importlib.util.find_spec("ray") is None:
        raise ValueError(
            "--ray needs the package ray, which is not installed. Install the extra: pip install"
            ' "whole-body-tracking[ray]", or leave --ray out to run the jobs on this machine.'
        )
