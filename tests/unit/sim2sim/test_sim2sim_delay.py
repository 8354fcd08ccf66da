"""Targets that come late, in fractions of a control step."""

import numpy as np
import pytest

from whole_body_tracking.sim2sim.delay import DelayLine

pytestmark = pytest.mark.unit


def acting(delay: float, num_steps: int = 4, substeps: int = 4) -> list[int]:
    """Number of the control step whose targets act in each physics step; targets are numbered from 0."""
    line = DelayLine(delay, substeps)
    parts = [part for step in range(num_steps) for part in line.send(np.array([float(step)]))]
    return [int(targets[0]) for targets, count in parts for _ in range(count)]


@pytest.mark.parametrize(
    ("delay", "expected"),
    [
        (0.0, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]),
        (0.5, [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3]),
        (1.0, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]),
        (1.25, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2]),
        (2.0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1]),
    ],
)
def test_targets_act_so_many_physics_steps_late_and_the_first_ones_at_once(delay, expected):
    assert acting(delay) == expected


def test_a_reset_forgets_what_was_on_its_way():
    line = DelayLine(1.0, 4)
    line.send(np.array([1.0]))
    line.reset()
    assert line.send(np.array([2.0]))[0][0][0] == 2.0


def test_a_negative_delay_is_refused():
    with pytest.raises(ValueError, match="before its cause"):
        DelayLine(-0.5, 4)
