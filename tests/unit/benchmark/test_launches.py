"""Counting operations: kernels count, views and allocations do not."""

import pytest
import torch

from whole_body_tracking.benchmark.measuring.launches import LaunchCount

pytestmark = pytest.mark.unit


def test_kernels_count_and_views_do_not():
    a, b = torch.ones(3, 4), torch.ones(4)
    with LaunchCount() as count:
        rows = (a + b)[1:].unsqueeze(0).transpose(0, 1)  # one addition, three views
        torch.empty(5)
        rows.mul_(2.0).sum()  # in place, and a sum
    assert count.num_launches == 3


def test_nothing_counts_outside():
    with LaunchCount() as count:
        pass
    torch.ones(3) + 1.0
    assert count.num_launches == 0
