"""Several processes that train one policy: their ranks, and what they have to agree on.

Each process simulates its own envs on its own device. rsl_rl averages gradients and KL over them and merges the
observation normalisers; :class:`~.ppo.TrackingPPO` merges the start samplers. Only the first process writes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist

VARIABLES = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}
"""What torchrun sets in each process, with the values of a process that is alone."""

TIMEOUT = timedelta(minutes=10)
"""How long a process waits for the others before it gives up: longer than a simulator's start or an export."""


@dataclass(frozen=True)
class Member:
    """One process of a training."""

    rank: int = 0
    """Its number among all processes of all machines, from 0."""
    local_rank: int = 0
    """Its number on its machine, from 0."""
    size: int = 1
    """Number of processes."""

    @classmethod
    def from_environment(cls) -> Member:
        """This process as torchrun describes it; a process started without it is alone."""
        return cls(*(int(os.environ.get(name, default)) for name, default in VARIABLES.items()))

    @property
    def is_first(self) -> bool:
        """Whether this process chooses the run folder, logs, saves and uploads."""
        return self.rank == 0

    @property
    def is_alone(self) -> bool:
        """Whether this process trains alone."""
        return self.size == 1


def join(args: argparse.Namespace) -> Member:
    """Meet the other processes that torchrun started, and choose this one's device.

    Sets ``args.device`` to ``cuda:<local rank>``, unless it is ``cpu``. On the CPU, ``args.distributed`` is switched
    off afterwards: Isaac Lab's launcher takes it for "use CUDA".

    Raises:
        ValueError: If ``--distributed`` and torchrun do not come together.
    """
    member = Member.from_environment()
    if args.distributed and "WORLD_SIZE" not in os.environ:
        raise ValueError(
            "--distributed trains in several processes, but this one was started alone. Start it with: torchrun"
            f" --nproc_per_node NUM_GPUS {sys.argv[0]} --distributed ..."
        )
    if not args.distributed:
        if not member.is_alone:
            raise ValueError(f"torchrun started {member.size} processes, but --distributed is missing.")
        return member
    if args.device == "cpu":
        args.distributed = False
    else:
        args.device = _cuda_device(member.local_rank)
    if not member.is_alone:
        meet(args.device)
    return member


def meet(device: str) -> None:
    """Create the process group, unless it exists: gloo for tensors on the CPU, NCCL for those on CUDA devices."""
    if not dist.is_initialized():
        dist.init_process_group("gloo" if device == "cpu" else "cpu:gloo,cuda:nccl", timeout=TIMEOUT)


def leave() -> None:
    """Destroy the process group if there is one; torch warns at exit otherwise."""
    if dist.is_initialized():
        dist.destroy_process_group()


def decided_by_first[T](decide: Callable[[], T]) -> T:
    """Decision of the first process, returned on every process. The others do not call ``decide``."""
    if not dist.is_initialized():
        return decide()
    answer = [decide() if dist.get_rank() == 0 else None]
    dist.broadcast_object_list(answer, src=0, device=torch.device("cpu"))
    return answer[0]


def require_same(what: str, value: object) -> None:
    """Check that this process has what the first one has, such as the same motions on another machine.

    Raises:
        ValueError: On a process that differs.
    """
    expected = decided_by_first(lambda: value)
    if value != expected:
        rank = Member.from_environment().rank
        raise ValueError(f"Process {rank} has other {what} than process 0: {value}, expected {expected}.")


def largest(number: int) -> int:
    """The largest of the numbers that the processes bring."""
    if not dist.is_initialized():
        return number
    value = torch.tensor(number)
    dist.all_reduce(value, op=dist.ReduceOp.MAX)
    return int(value)


def wait_for_all() -> None:
    """Return once every process has called this."""
    largest(0)


def _cuda_device(local_rank: int) -> str:
    """Device of a process; the only one where each process sees no other."""
    return f"cuda:{local_rank if local_rank < torch.cuda.device_count() else 0}"
