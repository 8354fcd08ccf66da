"""A slider moves a value, and follows it, without moving it back."""

from types import SimpleNamespace

import pytest

from whole_body_tracking.viewer.live_slider import LiveSlider

pytestmark = pytest.mark.unit


class FakeGui:
    """The one thing that is used of viser's: a value, limits, and calls at updates."""

    def add_slider(self, label, min, max, step, initial_value):
        handle = SimpleNamespace(label=label, min=min, max=max, value=initial_value)
        handle.on_update = lambda call: setattr(handle, "call", call)
        return handle


def drag(slider, value):
    """What a person's move does."""
    slider.handle.value = value
    slider.handle.call(SimpleNamespace(client="somebody", target=slider.handle))


@pytest.fixture
def value():
    return {"speed": 0.3}


@pytest.fixture
def slider(value):
    ask = lambda wanted: value.update(speed=min(0.8, wanted))  # noqa: E731
    return LiveSlider(FakeGui(), "speed [m/s]", (-0.3, 3.141593), lambda: value["speed"], ask)


def test_a_person_moves_the_value(slider, value):
    drag(slider, 0.5)
    slider.follow()
    assert value["speed"] == slider.handle.value == 0.5


def test_it_follows_a_key(slider, value):
    value["speed"] = 0.404
    slider.follow()
    assert slider.handle.value == 0.4 and value["speed"] == 0.404  # shown rounded, not made so
    value["speed"] = 99.0
    slider.follow()
    assert slider.handle.value == slider.handle.max == 3.14


def test_following_asks_for_nothing(slider, value):
    value["speed"] = 0.404
    slider.handle.call(SimpleNamespace(client=None, target=SimpleNamespace(value=0.4)))
    assert value["speed"] == 0.404


def test_a_move_that_waits_for_the_loop_is_not_undone(value):
    """The loop looks between a person's move and its call: the slider stays where the hand has it."""
    waiting = []
    ask = lambda wanted: value.update(speed=wanted)  # noqa: E731
    slider = LiveSlider(FakeGui(), "speed", (0.0, 1.0), lambda: value["speed"], ask, waiting.append)
    drag(slider, 0.6)
    slider.follow()
    assert slider.handle.value == 0.6 and value["speed"] == 0.3
    slider.handle.value = 0.7  # the hand is further by now
    waiting.pop()()
    slider.follow()
    assert value["speed"] == 0.6 and slider.handle.value == 0.7
