"""Sentences beside the numbers."""

import pytest

from whole_body_tracking.evaluation.metrics.lafan1 import LAFAN1_40
from whole_body_tracking.evaluation.report.notes import diverged_note, score_name

pytestmark = pytest.mark.unit

BENCHMARK = [{"name": name} for name in sorted(LAFAN1_40)]


def test_only_the_forty_clips_together_have_a_lafan1_40_score():
    assert len(BENCHMARK) == 40 and {"name": "walk1_subject1"} in BENCHMARK
    assert score_name(BENCHMARK) == "LAFAN1-40 score"
    for others in (BENCHMARK[:-1], [*BENCHMARK, {"name": "squat"}], [*BENCHMARK[:-1], {"name": "squat"}]):
        assert score_name(others) == "normalised return"


def test_rollouts_that_diverged_are_counted():
    assert diverged_note({"num_rollouts": 64, "diverged": 0.0}) == ""
    assert diverged_note({"num_rollouts": 64, "diverged": 3 / 64}).startswith(" 3 of 64 rollouts diverged")
