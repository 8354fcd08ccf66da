"""Wilson's interval against published values and its properties."""

import pytest

from whole_body_tracking.evaluation.metrics.intervals import wilson_interval

pytestmark = pytest.mark.unit


def test_half_of_ten():
    # center (0.5 + 3.8415/20) / (1 + 0.38415) = 0.5; half width sqrt(0.25 * 0.38415 + 0.38415^2 / 4) / 1.38415 = 0.2634
    assert wilson_interval(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)


def test_all_of_a_hundred_is_not_certain():
    # n / (n + z^2) = 100 / 103.8415
    assert wilson_interval(100, 100) == pytest.approx((0.9630, 1.0), abs=1e-4)


@pytest.mark.parametrize("successes", [0, 1, 50, 99, 100])
def test_the_share_lies_inside_and_failures_mirror_successes(successes):
    low, high = wilson_interval(successes, 100)
    assert 0.0 <= low <= successes / 100 <= high <= 1.0
    assert wilson_interval(100 - successes, 100) == pytest.approx((1.0 - high, 1.0 - low))


@pytest.mark.parametrize(("successes", "trials"), [(5, 4), (-1, 4), (0, 0)])
def test_no_share_is_refused(successes, trials):
    with pytest.raises(ValueError, match=f"{successes} successes of {trials} trials"):
        wilson_interval(successes, trials)
