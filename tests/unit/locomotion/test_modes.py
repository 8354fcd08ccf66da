"""Modes as a person names them, as a policy's file says them, and what a policy is told in each."""

import dataclasses
import math

import numpy as np
import pytest

from whole_body_tracking.locomotion.command import CommandRanges, VelocityCommand
from whole_body_tracking.locomotion.modes import (
    Mode,
    ModeCommand,
    clip_mode,
    parse_command,
    parse_modes,
    phase_features,
    require_mode,
    spread_mode_commands,
)
from whole_body_tracking.motion.defaults import DEFAULT_MOTION_FILE, DEFAULT_WALK_FILE

pytestmark = pytest.mark.unit

RANGES = CommandRanges((-0.3, 1.0), (-0.3, 0.3), (-1.0, 1.0), (-math.pi, math.pi), 1.0)
MODES = ("stand", "walk", "turn", "squat")


def test_modes_keep_their_order_and_know_their_clips():
    entries = parse_modes(["turn", "squat", f"stroll={DEFAULT_WALK_FILE}", "stand"])
    assert [(entry.name, entry.file) for entry in entries] == [
        ("turn", ""),
        ("squat", str(DEFAULT_MOTION_FILE)),
        ("stroll", str(DEFAULT_WALK_FILE)),
        ("stand", ""),
    ]


@pytest.mark.parametrize(
    ("modes", "said"),
    [
        (["stand", "jump"], r"Unknown mode: 'jump'. Known: stand, walk, turn, squat, NAME=FILE.npz"),
        (["stand", "wlak", "squat"], r"Did you mean 'walk'"),
        (["squat", "squat"], r"each may be there once"),
        (["stand", "walk"], r"at least one should perform a clip.*Velocity-Flat-G1-v0"),
        ([], r"\(none\): at least one should perform a clip"),
        ([f"walk={DEFAULT_WALK_FILE}"], r"is none of stand, walk, turn"),
        ([f"1st={DEFAULT_WALK_FILE}"], r"begins with a letter"),
    ],
)
def test_wrong_modes_are_refused(modes, said):
    with pytest.raises(ValueError, match=said):
        parse_modes(modes)


def test_a_mode_without_its_clip_is_refused():
    with pytest.raises(FileNotFoundError, match=r"Mode 'dance=gone.npz': there is no clip gone.npz"):
        parse_modes(["dance=gone.npz"])


def test_a_command_is_read_with_its_mode():
    assert parse_command("mode=walk, vx=0.5") == ModeCommand(0.5, 0.0, 0.0, "walk")
    assert parse_command("heading=1,mode=turn") == ModeCommand(heading=1.0, mode="turn")
    assert parse_command("vx=0.5") == VelocityCommand(0.5)
    assert str(parse_command("mode=squat")) == "mode=squat"
    assert str(parse_command("mode=walk,vx=0.5")) == "mode=walk,vx=0.5,vy=0,heading=0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mode=stand,vx=0.5", r"mode stand takes nothing else, and vx is given"),
        ("mode=turn,vy=0.1", r"mode turn takes heading, and vy is given"),
        ("mode=squat,heading=1", r"mode squat takes nothing else"),
        ("mode=walk,mode=turn", r"should name one mode"),
        ("mode=", r"should name one mode"),
        ("mode=walk,vx=nan", r"vx is 'nan', expected a finite number"),
        ("mode=walk,speed=1", r"Unknown part of the command"),
    ],
)
def test_a_command_that_its_mode_does_not_take_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        parse_command(text)


def test_a_command_has_to_fit_the_policys_modes():
    require_mode(ModeCommand(mode="squat"), MODES, "policy.onnx")
    require_mode(VelocityCommand(), (), "policy.onnx")
    with pytest.raises(ValueError, match=r"Unknown mode of policy.onnx: 'dance'. Known: stand, walk, turn, squat"):
        require_mode(ModeCommand(mode="dance"), MODES, "policy.onnx")
    with pytest.raises(ValueError, match=r"policy.onnx has modes: name one.*stand, walk, turn, squat"):
        require_mode(VelocityCommand(0.5), MODES, "policy.onnx")
    with pytest.raises(ValueError, match=r"has no modes.*leave mode=walk out"):
        require_mode(ModeCommand(mode="walk"), (), "policy.onnx")


@pytest.mark.parametrize(
    ("mode", "observed"), [("walk", [0.5, 0.1, 0.2]), ("turn", [0, 0, 0.2]), ("stand", [0] * 3), ("squat", [0] * 3)]
)
def test_a_policy_is_told_what_its_mode_takes(mode, observed):
    # 1 /s * (0.6 - 0.4) rad = 0.2 rad/s
    np.testing.assert_allclose(ModeCommand(0.5, 0.1, 0.6, mode).observed(0.4, RANGES), observed, atol=1e-12)


def test_a_phase_tells_beginning_and_end_apart():
    half = math.sqrt(0.5)  # frame 50 of 0..200: a quarter; sin and cos of pi/4, pi/2, 3 pi/4, pi
    np.testing.assert_allclose(phase_features(50, 201), [half, 1, half, 0, half, 0, -half, -1], atol=1e-12)
    np.testing.assert_allclose(phase_features(0, 201), [0, 0, 0, 0, 1, 1, 1, 1], atol=1e-12)
    np.testing.assert_allclose(phase_features(999, 201), [0, 0, 0, 0, -1, 1, -1, 1], atol=1e-12)
    assert not phase_features(7, 0).any()


def test_a_clip_that_goes_down_is_no_fall():
    low = clip_mode("crouch", 100, lowest=0.5, tilt=0.3)
    assert (low.min_height, low.max_tilt) == pytest.approx((0.25, 1.1))
    assert clip_mode("hop", 100, lowest=0.9, tilt=3.0) == Mode("hop", 100, 0.5, round(math.pi, 6))


@pytest.mark.parametrize("wrong", [("squat", 0), ("walk", 5), ("a b", 5), ("squat", 2.5), ("squat", 9, math.nan)])
def test_wrong_facts_of_a_mode_are_refused(wrong):
    with pytest.raises(ValueError, match=r"mode|Mode"):
        Mode(*wrong)


def test_an_evaluation_gives_each_mode_its_share():
    commands = spread_mode_commands(RANGES, MODES, 10, seed=3)
    assert [command.mode for command in commands[:5]] == [*MODES, "stand"]
    assert commands[:6] == spread_mode_commands(RANGES, MODES, 6, seed=3)
    walks = [command for command in commands if command.mode == "walk"]
    assert len({dataclasses.astuple(command) for command in walks}) == len(walks) and all(c.vx for c in walks)
    turns = [command for command in commands if command.mode == "turn"]
    assert all(command.vx == command.vy == 0.0 and command.heading for command in turns)
