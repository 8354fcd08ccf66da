"""How rollouts are grouped into batches."""

import pytest
import torch

from whole_body_tracking.evaluation.batches import plan_batches, plan_rollouts

pytestmark = pytest.mark.unit


def test_every_clip_gets_as_many_rollouts():
    assert plan_rollouts(3, 7).tolist() == [0, 1, 2] * 3
    assert plan_rollouts(3, 1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("num_worlds", [1, 2, 4, 5, 9])
def test_batches_hold_every_rollout_once_and_none_is_too_large(num_worlds):
    batches = plan_batches(torch.tensor([10, 50, 30, 50, 20]), num_worlds)
    assert sorted(torch.cat(batches).tolist()) == [0, 1, 2, 3, 4]
    assert max(map(len, batches)) <= num_worlds


def test_the_longest_run_together():
    assert [batch.tolist() for batch in plan_batches(torch.tensor([10, 50, 30, 50, 20]), 2)] == [[1, 3], [2, 4], [0]]
