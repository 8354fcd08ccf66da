"""What the demo plans and how it words its result."""

import pytest

from whole_body_tracking.demo import make_plan, unmet_targets

pytestmark = pytest.mark.unit


def test_a_policy_that_reaches_every_target_misses_none():
    assert unmet_targets({"success": 0.95, "tracking_reward": 0.9, "r_mpkpe": 0.03}) == []


def test_what_is_not_reached_is_said_with_its_numbers():
    sentences = unmet_targets({"success": 0.5, "tracking_reward": 0.7, "r_mpkpe": 0.081})
    assert len(sentences) == 3
    assert "50%" in sentences[0] and "90%" in sentences[0]
    assert "70%" in sentences[1]
    assert "0.081 m" in sentences[2]


def test_a_budget_without_training_time_is_refused():
    with pytest.raises(ValueError, match=r"at least 2\.25 minutes, got 1"):
        make_plan(1.0)
