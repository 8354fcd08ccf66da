"""Random numbers go on where a checkpoint was written."""

import random

import numpy as np
import pytest
import torch

from whole_body_tracking.rl.run import random_state

pytestmark = pytest.mark.unit


def draw() -> list[float]:
    """Numbers of every generator; an odd number of normals leaves one in store for the next call."""
    normals = [random.gauss(0, 1), float(np.random.normal()), float(torch.randn(()))]
    return [random.random(), float(np.random.rand()), *torch.rand(3).tolist(), *normals]


@pytest.fixture
def saved(tmp_path):
    """A state as it comes back from a file, and the numbers that followed it."""
    draw()
    torch.save(random_state.capture("cpu"), tmp_path / "state.pt")
    expected = draw()
    draw()
    return torch.load(tmp_path / "state.pt", weights_only=True), expected


def test_sequences_continue(saved):
    state, expected = saved
    random_state.restore(state, "cpu")
    assert draw() == expected


def test_other_processes_have_sequences_of_their_own(saved):
    state, expected = saved
    drawn = []
    for rank in (1, 2, 1):
        random_state.restore(state, "cpu", rank)
        drawn.append(draw())
    assert drawn[0] == drawn[2]  # the same continuation twice
    assert not set(drawn[0]) & set(drawn[1]) and not set(drawn[0]) & set(expected)


def test_a_state_from_a_gpu_is_restored_on_the_cpu(saved):
    state, expected = saved
    random_state.restore(state | {"cuda": torch.zeros(16, dtype=torch.uint8)}, "cpu")
    assert draw() == expected
