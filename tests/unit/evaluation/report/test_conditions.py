"""The table of conditions: success, and how sure one can be of it."""

import pytest
import torch
from evaluation_samples import perfect_recording, shipped_clip

from whole_body_tracking.evaluation.batches import Rollouts
from whole_body_tracking.evaluation.metrics.intervals import wilson_interval
from whole_body_tracking.evaluation.metrics.measure import RolloutMetrics
from whole_body_tracking.evaluation.report.conditions import condition_row, render_conditions

pytestmark = pytest.mark.unit


def rollouts(success: list[bool], start_frames: list[int]) -> Rollouts:
    recording = perfect_recording(shipped_clip(), [10]).rollout(0)
    measured = RolloutMetrics({"success": torch.tensor(success), "completion": torch.ones(len(success))})
    return Rollouts(measured, [recording] * len(success), torch.tensor(start_frames))


def test_a_hundred_copies_of_one_start_are_one_trial():
    row = condition_row("scenario", "standard", rollouts([True] * 100, [0] * 100))
    assert (row["num_rollouts"], row["num_independent"], row["success"]) == (100, 1, 1.0)
    assert (row["success_low"], row["success_high"]) == wilson_interval(1, 1)


def test_trials_are_starts_in_different_seconds():
    # steps of 20 ms: frames 0 and 10 lie in the first second, 60 in the second one; three of four succeed
    row = condition_row("start", "random frames", rollouts([True, True, False, True], [0, 10, 60, 110]))
    assert (row["num_independent"], row["success"]) == (3, 0.75)
    assert (row["success_low"], row["success_high"]) == pytest.approx(wilson_interval(0.75 * 3, 3))


def test_the_table_names_condition_counts_and_interval():
    header, line = render_conditions("scenario", [condition_row("scenario", "payload", rollouts([True], [0]))]).split(
        "\n"
    )
    assert header.split()[:4] == ["scenario", "rollouts", "independent", "success"]
    assert line.split()[:4] == ["payload", "1", "1", "1.00"]
