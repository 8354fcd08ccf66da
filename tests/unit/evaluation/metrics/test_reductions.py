"""Metrics on recordings small enough to check by hand."""

import pytest
import torch

from whole_body_tracking.evaluation.metrics import reductions

pytestmark = pytest.mark.unit

FAILED = torch.tensor([[0, 0, 0], [0, 1, 0], [0, 0, 0], [0, 1, 1]], dtype=torch.bool)
"""4 steps of 3 rollouts: none fails; one fails at its second step; one at the last step, after its clip has ended."""
NUM_STEPS = torch.tensor([4, 4, 2])


def test_a_rollout_runs_up_to_its_first_failure_and_within_its_clip():
    running = reductions.running_until_failure(FAILED, NUM_STEPS)
    assert running.T.tolist() == [[True] * 4, [True, True, False, False], [True, True, False, False]]


def test_success_looks_only_at_the_clip():
    assert reductions.success(FAILED, NUM_STEPS).tolist() == [True, False, True]


def test_completion_counts_steps_before_the_failure():
    assert reductions.completion(FAILED, NUM_STEPS).tolist() == [1.0, 0.25, 1.0]


def test_a_rollout_survives_up_to_its_failure_or_its_clips_end():
    assert reductions.num_steps_done(FAILED, NUM_STEPS).tolist() == [4, 1, 2]


def test_return_is_nothing_after_a_failure():
    reward = torch.tensor([[1.0, 0.8, 0.6], [0.5, 1.0, 0.4], [1.0, 1.0, 1.0], [0.5, 1.0, 1.0]])
    # 3 / 4; 0.8 / 4; (0.6 + 0.4) / 2
    assert reductions.normalized_return(reward, FAILED, NUM_STEPS).tolist() == pytest.approx([0.75, 0.2, 0.5])


def test_masked_mean_ignores_what_came_after():
    values = torch.tensor([[1.0, 1.0], [3.0, 100.0]])
    valid = torch.tensor([[True, True], [True, False]])
    assert reductions.masked_mean(values, valid).tolist() == [2.0, 1.0]


def test_what_happens_after_a_failure_changes_nothing_even_if_not_finite():
    values = torch.tensor([[1.0], [float("nan")]])
    assert reductions.masked_mean(values, torch.tensor([[True], [False]])).tolist() == [1.0]
