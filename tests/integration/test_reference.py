"""The reference of a running task: its ends, what it does out of inference mode, and what it says of blow-ups."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("reference")
    command = [sys.executable, str(Path(__file__).with_name("reference_probe.py")), str(folder / "found.json")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=900)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads((folder / "found.json").read_text())


def test_the_clip_is_read_once_and_after_the_config_was_checked(found):
    assert found["reads_before_start"] == [] and found["reads"] == ["squat.npz"]


def test_a_task_that_stepped_in_inference_mode_can_be_reset_and_stepped_outside_of_it(found):
    """Its bins and the placement of a looped clip are written to by a reset."""
    assert found["inference"]["looped"] == [1] * 4
    assert found["inference"]["frames"] == [2] * 4 and found["inference"]["bins"] == [0] * 4


def test_a_held_reference_is_at_rest(found):
    """It aims at the last frame but one, the last frame, and holds it from then on."""
    left, joint_vel, command = zip(*found["held"], strict=True)
    assert left == (1, 0, 0, 0)
    assert joint_vel[:2] == command[:2] and min(joint_vel[:2]) > 0.0
    assert joint_vel[2:] == command[2:] == (0.0, 0.0)


def test_a_failure_in_the_step_of_a_time_out_counts_as_one(found):
    """Four episodes end and one of them in failure; the algorithm still sees which after the step."""
    failed = found["failed"]
    assert failed["truncated"] == [True] * 4
    assert failed["terminated"] == failed["live"] == [False, True, False, False]
    assert failed["counted"] == pytest.approx([4.0, 1.0], abs=1e-2)


@pytest.mark.parametrize("value", ["inf", "nan"])
def test_velocities_that_are_not_finite_end_the_episode_and_are_reported(found, value):
    assert found["blown_up"][value]["ended"] == [False, False, True, False]
    (message,) = found["blown_up"][value]["messages"]
    assert message.startswith("Non-finite state in envs 2 (squat, frame 1). Their states are in ")
