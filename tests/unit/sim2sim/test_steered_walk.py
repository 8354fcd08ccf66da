"""Steering by keys and sliders."""

import math

import pytest

from whole_body_tracking.locomotion.command import CommandRanges, VelocityCommand
from whole_body_tracking.sim2sim.live_walk import KEYS, STOP_KEY, Steering

pytestmark = pytest.mark.unit

RANGES = CommandRanges((-0.3, 1.0), (-0.3, 0.3), (-1.0, 1.0), (-math.pi, math.pi), 1.0)


def test_keys_change_the_command_within_its_ranges():
    steering = Steering(VelocityCommand(), RANGES)
    for name in ["forward"] * 3 + ["left", "turn right"]:
        steering.press(name)
    assert vars(steering.command) == pytest.approx({"vx": 0.3, "vy": 0.1, "heading": -0.2})
    for _ in range(20):
        steering.press("forward")
    assert steering.command.vx == 1.0
    steering.stop()
    assert vars(steering.command) == pytest.approx({"vx": 0.0, "vy": 0.0, "heading": -0.2})


def test_a_heading_goes_round():
    steering = Steering(VelocityCommand(heading=3.1), RANGES)
    steering.press("turn left")
    assert steering.command.heading == pytest.approx(3.3 - 2.0 * math.pi)


def test_a_first_command_out_of_range_is_refused():
    with pytest.raises(ValueError, match="vx=2 m/s is outside"):
        Steering(VelocityCommand(2.0), RANGES)


def test_every_key_is_one_that_the_page_leaves_free():
    keys = [key for key, *_ in KEYS.values()] + [STOP_KEY]
    assert len(set(keys)) == len(keys) and not set(keys) & set("WASDQE")
