"""Velocity commands as a person types them, and what a policy is told."""

import math

import numpy as np
import pytest

from whole_body_tracking.locomotion.command import (
    CommandRanges,
    VelocityCommand,
    heading_of,
    spread_commands,
    wrap,
)

pytestmark = pytest.mark.unit

RANGES = CommandRanges((-0.3, 1.0), (-0.3, 0.3), (-1.0, 1.0), (-math.pi, math.pi), 0.5)


def test_a_command_is_read_and_what_is_left_out_is_zero():
    assert VelocityCommand.parse("vx=0.5, heading=-1") == VelocityCommand(0.5, 0.0, -1.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vx=nan", r"vx is 'nan', expected a finite number of m/s"),
        ("heading=inf", r"heading is 'inf'.*rad"),
        ("vx=fast", r"vx is 'fast'"),
        ("vz=1", r"Unknown part of the command 'vz=1': 'vz'. Known: vx, vy, heading"),
        ("vx", r"'vx' is not NAME=NUMBER"),
        ("", r"is not NAME=NUMBER"),
        ("vx=1,vx=2", r"gives vx twice"),
    ],
)
def test_a_bad_command_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        VelocityCommand.parse(text)


OUTSIDE = [
    (VelocityCommand(1.2), "vx"),
    (VelocityCommand(vy=-0.4), "vy"),
    (VelocityCommand(heading=4.0), "heading"),
    (VelocityCommand(math.nan), "vx"),
]


@pytest.mark.parametrize(("command", "name"), OUTSIDE)
def test_a_command_outside_of_the_training_is_refused(command, name):
    with pytest.raises(ValueError, match=rf"Command {name}=.* outside of the range"):
        command.require_within(RANGES)
    VelocityCommand(1.0, -0.3, math.pi).require_within(RANGES)


def test_a_heading_becomes_a_bounded_turning_rate():
    # 0.5 /s * (0.6 - 0.2) rad = 0.2 rad/s
    np.testing.assert_allclose(VelocityCommand(0.4, 0.1, 0.6).observed(0.2, RANGES), [0.4, 0.1, 0.2])
    # The short way round: from 3 to -3 rad it is 2 pi - 6 = 0.2832 rad to the left.
    np.testing.assert_allclose(VelocityCommand(heading=-3.0).observed(3.0, RANGES)[2], 0.5 * 0.28318, atol=1e-4)
    # 0.5 * 3 = 1.5, bounded by 1
    assert VelocityCommand(heading=3.0).observed(0.0, RANGES)[2] == 1.0


def test_wrapping_keeps_the_direction():
    assert wrap(math.pi) == pytest.approx(math.pi) and wrap(-math.pi) == pytest.approx(math.pi)
    assert wrap(2.0 * math.pi + 0.1) == pytest.approx(0.1) and wrap(-3.5) == pytest.approx(2.0 * math.pi - 3.5)


def test_the_heading_of_a_quaternion():
    half = math.radians(30.0) / 2.0
    assert heading_of([0.0, 0.0, math.sin(half), math.cos(half)]) == pytest.approx(math.radians(30.0))


def test_spread_commands_stay_within_and_do_not_depend_on_their_number():
    commands = spread_commands(RANGES, 20, seed=3)
    assert commands[0] == VelocityCommand() and commands[1] == VelocityCommand(0.5)
    assert commands[:7] == spread_commands(RANGES, 7, seed=3) and len(set(commands)) == 20
    for command in commands:
        command.require_within(RANGES)
        assert abs(command.heading) <= math.pi / 4.0


@pytest.mark.parametrize("wrong", [{"lin_vel_x": (1.0, 0.0)}, {"heading": (0.0, math.nan)}, {"heading_stiffness": 0.0}])
def test_wrong_ranges_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        CommandRanges(**(vars(RANGES) | wrong))
