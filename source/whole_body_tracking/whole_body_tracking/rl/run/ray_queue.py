"""Jobs on a Ray cluster: as many at the same time as it has room for, started again when a machine dies.

A job is a sequence of commands in a folder that all machines share, each decided from the files that are there. So a
job whose machine died is asked again, and a training goes on from its newest checkpoint.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .launching import Command, interrupted_by_sigterm
from .ray_options import LOCAL, RayOptions, require_ray
from .ray_worker import Outcome, Site, code_version, run_command

POLL_SECONDS = 1.0
STOP_SECONDS = 60.0
"""How long jobs that are cancelled may take to save and end [s]."""
CONNECT_SECONDS = 10.0
"""How long a cluster may take to answer [s]."""
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""Ray's settings where the user has none: no statistics are sent, jobs without a GPU see what this process sees."""
SIGTERM_STATUS = 143
"""Exit status of a training that SIGTERM ended after it had saved, as before a machine is taken away."""


class RayJob(Protocol):
    """A job that the queue can run."""

    @property
    def name(self) -> str:
        """Name of the job in messages."""

    def steps(self, device: str) -> Iterator[Command]:
        """Commands that are left to do on a device; the next one is asked for when one has succeeded."""


@dataclass
class _Run[J: RayJob]:
    """A job in progress."""

    job: J
    steps: Iterator[Command]
    num_retries: int = 0


def run_on_ray[J: RayJob](
    jobs: Iterable[J],
    options: RayOptions,
    folder: Path,
    ended: Callable[[J, ChildProcessError | None], None],
    report: Callable[[str], None] = print,
) -> None:
    """Run jobs on a Ray cluster, to the end of the last.

    Args:
        jobs: What to run.
        options: Cluster, resources of each job, retries.
        folder: Existing folder of all jobs, which all machines see at the same path.
        ended: Called when a job has ended, with what went wrong or None.
        report: Called with a line for each event.

    Raises:
        ConnectionError: If there is no cluster at the address.
        FileNotFoundError: If a machine does not see the folder.
        KeyboardInterrupt: On SIGTERM or Ctrl-C, once all running jobs have ended.
        ValueError: If no machine of the cluster has what a job takes, one has another version of the package, or Ray is
            not installed.
    """
    with ray_cluster(options), _shared_mark(folder) as site, interrupted_by_sigterm():
        _Queue(jobs, options, site, ended, report).run()


class _Queue[J: RayJob]:
    def __init__(self, jobs: Iterable[J], options: RayOptions, site: Site, ended, report):
        import ray

        self._ray, self._site, self._options, self._ended, self._report = ray, site, options, ended, report
        resources = _resources(ray, options)
        self._device = "cuda:0" if resources.get("num_gpus") else "cpu"
        self._remote = ray.remote(run_command).options(**resources, max_retries=0)
        self._limit = options.num_workers or math.inf
        self._waiting = deque(jobs)
        self._running: dict = {}

    def run(self) -> None:
        """Run all jobs; cancel those that run when an error or a signal ends this."""
        try:
            while self._waiting or self._running:
                while self._waiting and len(self._running) < self._limit:
                    job = self._waiting.popleft()
                    self._submit(_Run(job, job.steps(self._device)))
                done, _ = self._ray.wait(list(self._running), timeout=POLL_SECONDS) if self._running else ([], [])
                for task in done:
                    self._take(self._running.pop(task), task)
        finally:
            self._cancel()

    def _submit(self, run: _Run[J]) -> None:
        """Submit the next command of a job; a job without one has ended."""
        command = next(run.steps, None)
        if command is None:
            return self._ended(run.job, None)
        num_cores = int(self._options.cpu_per_worker) if self._device == "cpu" else 0
        self._running[self._remote.remote(command, self._site, num_cores)] = run
        return None

    def _take(self, run: _Run[J], task) -> None:
        outcome = self._outcome(task)
        if isinstance(outcome, Outcome) and outcome.exit_status == 0:
            return self._submit(run)
        lost = isinstance(outcome, str) or outcome.exit_status < 0 or outcome.exit_status == SIGTERM_STATUS
        reason = outcome if isinstance(outcome, str) else outcome.message
        if lost and run.num_retries < self._options.max_retries:
            self._report(f"[WARNING] {run.job.name}: {reason.splitlines()[0]} Starting it again.")
            return self._submit(_Run(run.job, run.job.steps(self._device), run.num_retries + 1))
        after = f" (after {run.num_retries} retries)" if lost else ""
        return self._ended(run.job, ChildProcessError(f"{reason}{after}"))

    def _outcome(self, task) -> Outcome | str:
        """Outcome of a command; text if its worker or machine died.

        Raises:
            FileNotFoundError, ValueError: If the machine lacks what all machines have to have.
        """
        errors = self._ray.exceptions
        try:
            return self._ray.get(task)
        except errors.RayTaskError as error:
            raise error.cause from None
        except errors.OutOfMemoryError:
            return "its machine ran out of memory. Ask for more with --ram_gb_per_worker."
        except errors.RayError as error:
            return f"its worker died ({type(error).__name__})."

    def _cancel(self) -> None:
        for task in self._running:
            self._ray.cancel(task)
        if self._running:
            self._ray.wait(list(self._running), num_returns=len(self._running), timeout=STOP_SECONDS)


@contextlib.contextmanager
def ray_cluster(options: RayOptions) -> Iterator[None]:
    """Connect to a cluster, or start one on this machine, for the time of the block.

    Raises:
        ConnectionError: If there is none at the address.
        ValueError: If Ray is not installed.
    """
    require_ray()
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import ray

    local = {"num_cpus": os.cpu_count(), "include_dashboard": False} if options.address == LOCAL else {}
    try:
        _require_listener(options.address)
        ray.init(address=options.address, log_to_driver=False, logging_level="WARNING", **local)
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"--ray {options.address}: no Ray cluster there ({str(error).splitlines()[0]}). Start one with `ray start"
            " --head` and give its address, or use --ray local."
        ) from None
    try:
        yield
    finally:
        ray.shutdown()


def _require_listener(address: str) -> None:
    """Check that something listens at HOST:PORT, since Ray itself tries for minutes.

    Raises:
        OSError: If nothing does.
    """
    host, _, port = address.rpartition(":")
    if host and "/" not in host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()


def _resources(ray, options: RayOptions) -> dict[str, float]:
    """What each job asks Ray for.

    Raises:
        ValueError: If no machine has that much.
    """
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    num_gpus = options.gpu_per_worker
    if num_gpus is None:
        num_gpus = 1.0 if any(machine.get("GPU", 0) >= 1 for machine in machines) else 0.0
    wanted = {"CPU": options.cpu_per_worker, "GPU": num_gpus, "memory": options.ram_gb_per_worker * 1024**3}
    if not any(all(machine.get(name, 0) >= value for name, value in wanted.items()) for machine in machines):
        have = "; ".join(
            f"{m.get('CPU', 0):g} CPUs, {m.get('GPU', 0):g} GPUs, {m.get('memory', 0) / 1024**3:.1f} GiB"
            for m in machines
        )
        raise ValueError(
            f"A job takes {options.cpu_per_worker:g} CPUs, {num_gpus:g} GPUs and {options.ram_gb_per_worker:g} GiB,"
            f" more than any machine of the cluster has: {have}. Ask for less with --cpu_per_worker,"
            " --gpu_per_worker and --ram_gb_per_worker."
        )
    memory = {"memory": wanted["memory"]} if wanted["memory"] else {}
    return {"num_cpus": options.cpu_per_worker, "num_gpus": num_gpus, **memory}


@contextlib.contextmanager
def _shared_mark(folder: Path) -> Iterator[Site]:
    """A file by which a worker recognises the shared folder, for the time of the block."""
    token = secrets.token_hex(16)
    mark = folder.absolute() / f".ray-{token}"
    mark.write_text(token)
    try:
        yield Site(mark, token, code_version())
    finally:
        mark.unlink(missing_ok=True)
