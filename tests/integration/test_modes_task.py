"""``Velocity-Flat-G1-Modes-v0``: its numbers are the docs', each mode asks for its own, and a policy of it plays."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_velocity_task import documented

from whole_body_tracking.evaluation.evaluate import evaluate
from whole_body_tracking.export.loader import load_policy
from whole_body_tracking.locomotion.modes import ModeCommand, phase_features
from whole_body_tracking.motion.defaults import DEFAULT_MOTION_FILE
from whole_body_tracking.rl.training import train
from whole_body_tracking.sim2sim.live_walk import open_live_walk
from whole_body_tracking.sim2sim.walking import Conditions, walk_by_command

pytestmark = pytest.mark.integration

TASK = "Velocity-Flat-G1-Modes-v0"
NAMES = ["stand", "walk", "turn", "bend"]


@pytest.fixture(scope="module")
def probed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("modes")
    command = [sys.executable, str(Path(__file__).parent / "modes_probe.py"), "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return folder


@pytest.fixture(scope="module")
def found(probed: Path) -> dict:
    return json.loads((probed / "modes.json").read_text())


@pytest.fixture(scope="module")
def run_folder(probed: Path) -> Path:
    (folder,) = (probed / "logs" / "rsl_rl" / "g1_modes").iterdir()
    return folder


def test_the_tables_hold_every_number_of_the_environment(probed: Path):
    built = json.loads((probed / "numbers.json").read_text())
    own = documented("## One policy with modes")
    table = documented() | own
    assert sorted(table) == sorted(built) and len(own) == 18
    for what, numbers in built.items():
        assert table[what].keys() == numbers.keys(), what
        for name, values in numbers.items():
            assert table[what][name] == pytest.approx(values, rel=1e-3), f"{what} {name}"


def test_each_mode_shows_and_asks_for_its_own(found):
    assert found["one_hot"] == np.eye(4).tolist()
    stand, walk, turn, bend = found["command"]
    assert not any(stand) and not any(bend) and all(walk) and turn[:2] == [0.0, 0.0] and turn[2] != 0.0
    assert not np.any(found["phase"][:3])
    np.testing.assert_allclose(found["phase"][3], phase_features(found["frames"][3], 251), atol=1e-6)
    assert found["frames"][3] == 2  # frame 1 was aimed at in the first step
    assert [value > 0.0 for value in found["reference"]] == [False, False, False, True]  # the critic's


def test_what_counts_in_which_mode(found):
    rewards = found["rewards"]
    for name in ("velocity", "heading", "upright", "hip_deviation"):
        assert all(value > 0.0 for value in rewards[name][:3]) and rewards[name][3] == 0.0, name
    for name in ("motion_body_pos", "motion_global_anchor_pos", "motion_global_anchor_ori"):
        assert rewards[name][:3] == [0.0] * 3 and rewards[name][3] > 0.7, name  # the clip begins at the robot
    assert rewards["alive"] == [1.0] * 4
    assert found["error"] == pytest.approx([found["error"][3]] * 4)  # logged: of envs with a clip
    assert found["low"] == [True, True, True, False]  # a clip may go down


def test_a_clip_begins_where_the_robot_stands_and_heads(found):
    assert found["mode"] == [3, 1, 2, 3] and found["frame"] == 1
    assert found["off"] < 0.01  # to frame 1 from frame 0, which lies at the robot
    assert math.remainder(found["turned"] - 2.0 * math.atan2(0.6, 0.8), 2.0 * math.pi) == pytest.approx(0.0, abs=0.05)
    assert found["redrawn"][0] == 1 and found["redrawn"][1:] == [0, 0, 0]


def test_a_clip_that_has_ended_is_held(found):
    np.testing.assert_allclose(found["phase_at_end"], phase_features(250, 251), atol=1e-6)
    assert found["speed_at_end"] == 0.0


def test_modes_change_within_an_episode_each_alike(found):
    assert sum(found["drawn"]) == 4 * 40 and min(found["drawn"]) > 20  # 40 each, six standard deviations of 5.5 or less


def test_an_evaluation_reports_every_mode(probed: Path, run_folder: Path):
    numbers = json.loads((probed / "numbers_of_modes.json").read_text())
    rows = {row["mode"]: row for row in numbers["per_mode"]}
    assert list(rows) == NAMES and [row["num_rollouts"] for row in rows.values()] == [2, 1, 1, 1]
    assert all(row["survived"] == 1.0 for row in rows.values()) and numbers["num_rollouts"] == 5
    assert 0.0 < rows["bend"]["r_mpkpe"] < 0.3 and rows["walk"]["r_mpkpe"] is None  # no training, 0.4 s
    report = json.loads((run_folder / "evaluation" / "report.json").read_text())
    assert report["per_mode"] == numbers["per_mode"] and "r_mpkpe" in report["definitions"]


def test_the_exported_policy_plays_each_mode_in_plain_mujoco(run_folder: Path, tmp_path: Path):
    path = run_folder / "exported" / "policy.onnx"
    spec = load_policy(path).spec
    assert [mode.name for mode in spec.modes] == NAMES and spec.modes[3].num_frames == 251
    assert spec.clips == () and spec.command_names == ("base_velocity",) and not (path.parent / "clips").exists()
    for command in (ModeCommand(0.5, mode="walk"), ModeCommand(mode="bend")):
        clip = DEFAULT_MOTION_FILE if command.mode == "bend" else None
        result = walk_by_command(path, command, Conditions(1, 0.4), tmp_path, motion_file=clip)
        assert result.per_mode[0]["mode"] == command.mode and result.overall["survived"] == 1.0
    assert 0.0 < result.overall["r_mpkpe"] < 0.3
    walk = open_live_walk(path, ModeCommand(mode="turn"), port=18_790, max_steps=2)
    assert walk.num_falls == 0


def test_the_modes_of_a_checkpoint_have_to_be_named_again(run_folder: Path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["evaluate.py"])
    monkeypatch.setattr("whole_body_tracking.evaluation.walking.run.tracking_env", None)  # a start would fail otherwise
    common = ["--task", TASK, "--checkpoint", str(run_folder / "model_1.pt"), "--device", "cpu"]
    with pytest.raises(ValueError, match="modes stand walk turn bend, here stand walk turn squat"):
        evaluate(common)
    given = [*common, "--modes", "stand", "walk", "turn", f"bend={DEFAULT_MOTION_FILE}"]
    with pytest.raises(ValueError, match=f"Unknown mode of {TASK}: 'squat'. Known: stand, walk, turn, bend"):
        evaluate([*given, "--command", "mode=squat"])
    with pytest.raises(ValueError, match=re.escape("has modes: name one")):
        evaluate([*given, "--command", "vx=0.5"])


def test_an_unknown_mode_is_refused_before_the_simulator_starts(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train.py"])
    monkeypatch.setattr("whole_body_tracking.rl.training.tracking_env", None)
    with pytest.raises(ValueError, match=r"Unknown mode: 'jump'. Known: stand, walk, turn, squat, NAME=FILE.npz"):
        train(["--task", TASK, "--device", "cpu", "--modes", "stand", "jump"])
