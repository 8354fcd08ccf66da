"""Script, remote control, keyboard and page tell the controller what to do."""

import os
import pty
import struct
import sys
import termios

import pytest
from deploy_samples import QUICK, pair, standing_pair

from whole_body_tracking.deploy.lockstep import advance
from whole_body_tracking.deploy.operators.choosing import choose_operators
from whole_body_tracking.deploy.operators.keyboard import Keyboard
from whole_body_tracking.deploy.operators.person import Person
from whole_body_tracking.deploy.operators.remote import BUTTONS, Remote, pressed
from whole_body_tracking.deploy.operators.script import Script
from whole_body_tracking.deploy.policy_process import Outcome, jitter

pytestmark = pytest.mark.unit


def remote_bytes(*buttons: str) -> bytes:
    bits = sum(1 << BUTTONS.index(name) for name in buttons)
    return b"\x55\x51" + struct.pack("<H", bits) + bytes(36)


@pytest.mark.integration
def test_a_script_plays_a_clip_and_ends():
    controller, robot = pair()
    script, modes = Script(None, stand_seconds=0.1, hold_seconds=0.2), []
    while not script.poll(controller):
        advance(controller, robot, 0.02)
        if not modes or modes[-1] != controller.mode:
            modes.append(controller.mode)
        assert robot.time < 10.0, modes
    assert modes == ["passive", "stand", "track", "hold"] and controller.finished == ["squat"]


def test_buttons_are_bits():
    assert pressed(remote_bytes("A", "left")) == {"A", "left"} and pressed(bytes(40)) == frozenset()
    assert pressed(b"\0\0\0\x01" + bytes(36)) == {"A"}  # bit 8, the lowest of the second byte


def test_a_button_acts_once_each_time_it_is_pressed():
    controller, robot = standing_pair()
    remote = Remote(controller)
    for buttons in ((), ("A",), ("A",), ("left",), ("left",), (), ("left",)):
        controller.remote = remote_bytes(*buttons)
        remote.poll(controller)
    assert controller.mode == "track"
    assert controller.tracker.corrections._wanted_heading == pytest.approx(0.2)  # two presses
    controller.remote = remote_bytes("B")
    remote.poll(controller)
    assert controller.mode == "damp"


def test_unknown_wishes_and_clips_are_refused():
    controller, _ = pair()
    with pytest.raises(ValueError, match=r"no wish 'jump'. There are: .*'stand'"):
        Person(controller).wish("jump")
    with pytest.raises(ValueError, match=r"Unknown clip of the policy: 'walk'\. Known: squat"):
        controller.tracker.choose("walk")


def test_keys_of_a_terminal_steer_and_the_terminal_comes_back(monkeypatch):
    controller, _ = standing_pair()
    keys, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        keyboard = Keyboard(controller)
        os.write(keys, b"xt[")  # without Enter; there is no wish x
        assert not keyboard.poll(controller)
        assert controller.mode == "track" and controller.tracker.corrections._wanted_heading == pytest.approx(0.1)
        os.write(keys, b" ")
        assert not keyboard.poll(controller) and controller.mode == "damp"
        os.write(keys, b"q")
        assert keyboard.poll(controller)
        keyboard.close()
        assert termios.tcgetattr(terminal) == before
    os.close(keys)


def test_a_page_steers(capsys):
    controller, robot = standing_pair()
    with choose_operators(controller, seconds=None, stand_seconds=1.0, port=0) as operators:
        page = operators[1]
        page._wishes.put(lambda: page.person.wish("track"))
        page.poll(controller)
        assert controller.mode == "track" and "track" in page._status.content
    assert "http://127.0.0.1:" in capsys.readouterr().out
    assert QUICK.settle == 0.2 and robot.time > 0.0


def test_without_keyboard_script_or_page_there_is_nobody(monkeypatch):
    controller, _ = pair()
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with (
        pytest.raises(ValueError, match="There is no keyboard here. Pass --seconds N"),
        choose_operators(controller, None, 1.0, None),
    ):
        pass


def test_jitter_is_the_distance_from_the_period():
    """Steps at 0, 20, 41, 60 ms: 0, 1 and 1 ms off."""
    assert jitter([0.0, 0.02, 0.041, 0.06], 0.02, 100.0) == pytest.approx(0.001)
    assert jitter([0.0], 0.02) == 0.0


@pytest.mark.parametrize(
    ("reason", "trip", "finished", "expected"),
    [
        ("the operator quit", None, ["squat"], True),
        ("the operator quit", None, [], False),
        ("the safety layer tripped", "tilt", ["squat"], False),
        ("the robot has sent no valid state for 0.5 s", None, ["squat"], False),
    ],
)
def test_which_runs_are_good(reason, trip, finished, expected):
    assert Outcome(reason, trip, finished, 0.0, {}).is_good(must_finish=True) is expected
