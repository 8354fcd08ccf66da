"""Projection of CPU times onto free cores."""

import pytest

from whole_body_tracking.benchmark.measuring.projection import project

pytestmark = pytest.mark.unit


def test_by_hand():
    """80 ms of which 60 are physics: 20 + 30 on two cores; the limit takes 60 / 2."""
    projected = project(environment_ms=80.0, native_ms=60.0, physics_ms=60.0, num_threads=2, num_envs=100)
    assert projected["environment_steps_per_s"] == pytest.approx(2000.0)
    assert projected["native_rollout_steps_per_s"] == pytest.approx(100 / 0.030)
    assert projected["ratio_environment_to_native"] == pytest.approx(0.6)


def test_one_thread_is_the_ratio_of_cpu_times():
    assert project(80.0, 60.0, 64.0, num_threads=1, num_envs=8)["ratio_environment_to_native"] == pytest.approx(0.75)
