"""The cache of the motion command: one computation per instant, and nothing stale after a step or a reset."""

import pytest

from whole_body_tracking.tasks.tracking.mdp.reference.reference_command import StepCache

pytestmark = pytest.mark.unit


class Counter:
    """Something whose reading costs; ``step`` is the simulation's."""

    def __init__(self):
        self.step, self.num_reads, self.frame = 0, 0, 10
        self.cache = StepCache(self, lambda: self.step)

    def read(self) -> int:
        self.num_reads += 1
        return self.frame + self.step

    def other(self) -> str:
        return f"frame {self.frame}"


def test_terms_share_one_computation_per_step():
    counter = Counter()
    assert [counter.cache.this_step(Counter.read) for _ in range(3)] == [10, 10, 10]
    assert counter.cache.this_step(Counter.other) == "frame 10"
    assert counter.num_reads == 1


def test_a_new_step_is_noticed_but_the_reference_stays():
    counter = Counter()
    assert counter.cache.until_invalidated(Counter.other) == "frame 10" and counter.cache.this_step(Counter.read) == 10
    counter.step, counter.frame = 1, 20
    assert counter.cache.this_step(Counter.read) == 21  # the robot moved
    assert counter.cache.until_invalidated(Counter.other) == "frame 10"  # nobody said that the reference did


def test_invalidate_forgets_both_within_a_step():
    counter = Counter()
    counter.cache.until_invalidated(Counter.other), counter.cache.this_step(Counter.read)
    counter.frame = 20
    counter.cache.invalidate()
    assert counter.cache.until_invalidated(Counter.other) == "frame 20" and counter.cache.this_step(Counter.read) == 20
