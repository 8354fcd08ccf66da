"""What processes share, of a process that is alone; two of them are in tests/integration/test_world_model_ranks.py."""

import pytest
import torch
from torch import nn

from whole_body_tracking.rl.learning.ranks import average_gradients, mean_and_std, num_ranks, sum_over_ranks

pytestmark = pytest.mark.unit


def test_deviations_are_those_of_a_sample():
    """1, 3 and 8: mean 4, squares 9 + 1 + 16 = 26, over two."""
    mean, std = mean_and_std(torch.tensor([[1.0, 0.0], [3.0, 0.0], [8.0, 0.0]]))
    assert mean.tolist() == [4.0, 0.0] and std.tolist() == pytest.approx([13.0**0.5, 0.0])


def test_a_process_that_is_alone_keeps_what_it_has():
    layer = nn.Linear(1, 1)
    layer(torch.ones(1, 1)).sum().backward()
    average_gradients(layer.parameters())
    assert num_ranks() == 1 and float(layer.weight.grad) == 1.0
    assert sum_over_ranks(torch.tensor([2.0])).tolist() == [2.0]
