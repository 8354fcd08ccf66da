"""Timing wrappers: nested time counts once, and the wrapped objects come back as they were."""

import time

import pytest

from whole_body_tracking.benchmark.measuring.parts import PartTimer

pytestmark = pytest.mark.unit


class Nested:
    def outer(self) -> str:
        time.sleep(0.02)
        self.inner()
        return "outer"

    def inner(self) -> None:
        time.sleep(0.05)

    def fail(self) -> None:
        raise RuntimeError("inside")


@pytest.fixture
def timed():
    nested, timer = Nested(), PartTimer("cpu")
    for name in ("outer", "inner", "fail"):
        timer.wrap(nested, name, name)
    return nested, timer


def test_inner_time_counts_for_the_inner_part_only(timed):
    nested, timer = timed
    assert nested.outer() == "outer"
    assert 0.02 <= timer.seconds["outer"][0] < 0.045
    assert 0.05 <= timer.seconds["inner"][0] < 0.075
    assert timer.seconds["inner"][1] < 0.02  # sleeping takes no CPU time


def test_an_error_passes_through_and_is_timed(timed):
    nested, timer = timed
    with pytest.raises(RuntimeError, match="inside"):
        nested.fail()
    nested.outer()
    assert {"fail", "outer", "inner"} == set(timer.seconds)


def test_restore_takes_the_wrappers_off(timed):
    nested, timer = timed
    timer.restore()
    assert "outer" not in vars(nested)
    nested.outer()
    assert not timer.seconds
