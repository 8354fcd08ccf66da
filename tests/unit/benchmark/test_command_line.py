"""What the command line accepts and refuses, before any simulator starts."""

import sys

import pytest

from whole_body_tracking.benchmark.command_line import parse

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def program(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["benchmark.py"])


def test_physics_goes_to_the_overrides():
    args = parse(["physics=mujoco_cpu", "--device", "cpu"])
    assert args.env_counts == [256] and args.task == "Tracking-Flat-G1-v0"
    assert sys.argv[1:] == ["physics=mujoco_cpu"]


def test_an_override_after_the_numbers_of_envs_is_no_number():
    assert parse(["--num_envs", "16", "64", "physics=ovphysx"]).env_counts == [16, 64]
    assert sys.argv[1:] == ["physics=ovphysx"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--num_envs", "0"], "positive"),
        (["--seconds", "0"], "--seconds"),
        (["--task", "Tracking-Flat-G1"], "Unknown task: 'Tracking-Flat-G1'"),
        (["--envs", "4"], "Unknown arguments: --envs"),
        (["--peer_python", "/does/not/exist"], "--peer_python"),
        (["--output", "/does/not/exist/result.json"], "/does/not/exist"),
        (["--actuators", "--json", "/does/not/exist/result.json"], "/does/not/exist"),
        (["--muscle_nn", "muscle_nn.safetensors"], "Add --actuators"),
        (["--actuators", "--compare", "earlier.json"], "without --actuators only"),
    ],
)
def test_bad_arguments_are_refused(argv, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        parse(argv)
