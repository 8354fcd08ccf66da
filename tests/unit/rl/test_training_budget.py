"""Share of a training budget that is used."""

import pytest

from whole_body_tracking.rl.learning import budget
from whole_body_tracking.rl.learning.budget import TrainingBudget

pytestmark = pytest.mark.unit


def test_the_scarcer_of_iterations_and_minutes_counts(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(budget.time, "monotonic", lambda: now[0])
    found = TrainingBudget(max_iterations=200, max_minutes=10.0)
    assert found.used(20) == pytest.approx(0.1)
    now[0] += 300.0
    assert found.used(20) == pytest.approx(0.5) and found.used(150) == pytest.approx(0.75)
    assert not found.is_over
    now[0] += 301.0
    assert found.used(20) == 1.0 and found.is_over


def test_without_a_time_limit_iterations_count():
    assert TrainingBudget(200).used(50) == 0.25
    assert TrainingBudget(200).used(300) == 1.0
    assert not TrainingBudget(200).is_over
