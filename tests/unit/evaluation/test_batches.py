"""How rollouts are grouped into batches."""

import pytest
import torch

from whole_body_tracking.evaluation.batches import num_independent_starts, plan_batches, plan_rollouts, spread_starts

pytestmark = pytest.mark.unit


def test_every_clip_gets_as_many_rollouts():
    assert plan_rollouts(3, 7).tolist() == [0, 1, 2] * 3
    assert plan_rollouts(3, 1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("num_envs", [1, 2, 4, 5, 9])
def test_batches_hold_every_rollout_once_and_none_is_too_large(num_envs):
    batches = plan_batches(torch.tensor([10, 50, 30, 50, 20]), num_envs)
    assert sorted(torch.cat(batches).tolist()) == [0, 1, 2, 3, 4]
    assert max(map(len, batches)) <= num_envs


def test_the_longest_run_together():
    assert [batch.tolist() for batch in plan_batches(torch.tensor([10, 50, 30, 50, 20]), 2)] == [[1, 3], [2, 4], [0]]


STEP_DT = 0.02


def test_spread_starts_fall_into_equal_parts_of_each_clip():
    clip_ids, num_steps = plan_rollouts(2, 8), torch.tensor([450, 1050]).repeat(4)
    starts = spread_starts(clip_ids, num_steps, STEP_DT, seed=3)
    # the last 50 steps (1 s) have no start: 400 frames in parts of 100, 1000 frames in parts of 250
    assert (starts[clip_ids == 0] // 100).tolist() == [0, 1, 2, 3]
    assert (starts[clip_ids == 1] // 250).tolist() == [0, 1, 2, 3]
    assert torch.equal(starts, spread_starts(clip_ids, num_steps, STEP_DT, seed=3))
    assert not torch.equal(starts, spread_starts(clip_ids, num_steps, STEP_DT, seed=4))


def test_one_rollout_of_each_of_many_clips_starts_anywhere():
    starts = spread_starts(torch.arange(200), torch.full((200,), 1050), STEP_DT, seed=0)
    assert starts.min() < 50 and starts.max() > 950 and len(starts.unique()) > 150


@pytest.mark.parametrize("steps", [1, 2, 3, 60, 99])
def test_a_start_in_a_short_clip_leaves_half_of_it(steps):
    starts = spread_starts(torch.zeros(64, dtype=torch.long), torch.full((64,), steps), STEP_DT, seed=0)
    assert starts.min() >= 0 and starts.max() < max(1, steps // 2, steps - 50)


def test_rollouts_that_start_in_one_second_of_a_clip_count_once():
    # clip 0: seconds 0, 0, 1 (50 steps of 20 ms), clip 1: second 1
    assert num_independent_starts(torch.tensor([0, 0, 0, 1]), torch.tensor([0, 49, 50, 51]), STEP_DT) == 3
