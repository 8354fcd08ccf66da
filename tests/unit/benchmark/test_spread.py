"""Medians, quartiles and ratios."""

import pytest

from whole_body_tracking.benchmark.measuring.spread import Spread, ratios, spread

pytestmark = pytest.mark.unit


def test_median_and_quartiles_by_hand():
    assert spread([4.0, 1.0, 2.0, 3.0, 5.0]) == Spread(median=3.0, low=2.0, high=4.0, num_samples=5)


def test_one_measurement_is_its_own_spread():
    assert spread([7.0]) == Spread(7.0, 7.0, 7.0, 1)


def test_a_busy_moment_does_not_move_the_median():
    assert spread([100.0] * 9 + [3.0]).median == 100.0


def test_no_measurement_is_refused():
    with pytest.raises(ValueError, match="at least one measurement"):
        spread([])


def test_load_cancels_in_ratios_of_neighbours():
    """The machine is half as fast in the second round, for both."""
    assert ratios([60.0, 30.0], [100.0, 50.0]) == [0.6, 0.6]
