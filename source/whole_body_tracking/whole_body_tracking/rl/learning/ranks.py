"""Tensors of several processes that train one policy: sums, gradients, networks and statistics.

Every function has to be called by all processes, in the same order. A process that is alone keeps what it has.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch.distributed as dist
from rsl_rl.utils import reduce_gradients_in_buckets
from torch import Tensor, nn

BUCKET_MB = 32.0
"""Gradients that are exchanged in one go [MB]."""


def num_ranks() -> int:
    """Number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Number of this process, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def sum_over_ranks(values: Tensor) -> Tensor:
    """Sum over the processes, in place; returns the tensor."""
    if num_ranks() > 1:
        dist.all_reduce(values)
    return values


def share_networks(*networks: nn.Module) -> None:
    """Give every process the parameters and buffers of the first one's networks."""
    if num_ranks() == 1:
        return
    for network in networks:
        for tensor in network.state_dict().values():
            dist.broadcast(tensor, src=0)


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace gradients by their mean over the processes."""
    if num_ranks() > 1:
        reduce_gradients_in_buckets(parameters, num_ranks(), BUCKET_MB)


def mean_and_std(values: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over the rows of all processes together, each of shape [width].

    The deviation is sqrt(sum (x - m)^2 / (n - 1)), as of one process that has all rows.

    Args:
        values: Rows of this process, shape [num, width]; processes may have different numbers.
    """
    num = sum_over_ranks(values.new_tensor(float(len(values))))
    mean = sum_over_ranks(values.sum(0)) / num
    return mean, (sum_over_ranks((values - mean).square().sum(0)) / (num - 1.0)).sqrt()
