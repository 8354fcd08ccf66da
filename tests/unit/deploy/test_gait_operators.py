"""Keys, sticks, buttons and sliders steer a walk within the ranges of the policy's training."""

import math
import os
import pty
import struct
import sys

import pytest
from gait_controllers import walking_robot

from whole_body_tracking.deploy.operators.keyboard import KEYS, STEERING, Keyboard
from whole_body_tracking.deploy.operators.page import Page
from whole_body_tracking.deploy.operators.person import Person
from whole_body_tracking.deploy.operators.remote import BUTTONS, STICKS, Remote, deflection

pytestmark = [pytest.mark.unit, pytest.mark.integration]


@pytest.fixture(scope="module")
def controller():
    """Standing before the walk."""
    return walking_robot(is_walking=False)[0]


def remote_bytes(*buttons: str, **sticks: float) -> bytes:
    data = bytearray(40)
    struct.pack_into("<H", data, 2, sum(1 << BUTTONS.index(name) for name in buttons))
    for name, value in sticks.items():
        struct.pack_into("<f", data, STICKS[name], value)
    return bytes(data)


def test_letters_are_those_of_sim2sims_page_and_no_wishes():
    assert STEERING["i"] == ("speed", 0.1) and STEERING["u"] == ("cadence", -5.0) and not set(STEERING) & set(KEYS)


def test_keys_steer(controller, monkeypatch):
    keys, terminal = pty.openpty()
    wanted = controller.tracker.wanted
    wanted.ask("speed", 0.5)
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        keyboard = Keyboard(controller)
        os.write(keys, b"iiiiijj[uhx")
        assert not keyboard.poll(controller)
        keyboard.close()
    os.close(keys)
    assert wanted["speed"] == pytest.approx(0.8)  # 1.0 is beyond the range
    assert wanted["turn_rate"] == pytest.approx(0.3) and wanted["cadence"] == 95.0
    assert controller.mode == "stand"  # there is no walk to end yet
    person = Person(controller)
    person.wish("straight")
    person.wish("next")
    assert wanted["turn_rate"] == 0.0 and person.clip == "walk"


def test_sticks_steer(controller):
    """The left one pushed half for 0.2 s: 0.03 m/s more; the right one fully to the right: -0.4 rad/s."""
    remote, wanted = Remote(controller), controller.tracker.wanted
    wanted.ask("speed", 0.5)
    for step in range(11):
        controller.remote, controller.robot_time = remote_bytes(left_y=0.5, right_x=1.0), 10.0 + 0.02 * step
        remote.poll(controller)
    assert wanted["speed"] == pytest.approx(0.53, abs=1e-6) and wanted["turn_rate"] == pytest.approx(-0.4)
    controller.remote = remote_bytes("up", left_y=0.05)
    before = wanted["cadence"]
    remote.poll(controller)
    assert wanted["turn_rate"] == 0.0 and wanted["cadence"] == before + 5.0
    wanted.ask("turn_rate", 0.2)
    controller.remote = remote_bytes(left_y=math.nan)
    remote.poll(controller)
    assert wanted["turn_rate"] == pytest.approx(0.2) and wanted["speed"] == pytest.approx(0.53)  # no stick, no change
    assert deflection(remote_bytes(right_x=-9.0), "right_x") == -1.0


def test_a_page_has_a_slider_per_parameter(controller):
    page = Page(controller, 0)
    try:
        speed, cadence, _ = page.sliders
        assert (speed.handle.min, speed.handle.max) == pytest.approx((0.1, 0.8)) and cadence.handle.max == 130.0
        page._wishes.put(lambda: page.person.ask("speed", 0.25))
        page.poll(controller)
        assert controller.tracker.wanted["speed"] == pytest.approx(0.25) and "speed 0.25" in page._status.content
        assert speed.handle.value == 0.25  # the slider follows what others ask for
    finally:
        page.close()


def test_what_the_policy_does_not_take_is_left_alone(controller, caplog):
    Person(controller).steer("arm_swing", 0.1)
    assert "cannot be told its arm_swing" in caplog.text
