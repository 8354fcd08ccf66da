"""``Velocity-Flat-G1-v0``: its numbers are those of docs/tasks.md, and it trains, evaluates and exports."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from whole_body_tracking.evaluation.evaluate import evaluate
from whole_body_tracking.evaluation.walking.recording import KEYS
from whole_body_tracking.export.loader import load_policy
from whole_body_tracking.locomotion.command import VelocityCommand
from whole_body_tracking.sim2sim.live_walk import open_live_walk
from whole_body_tracking.sim2sim.walking import Conditions, walk_by_command

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def probed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("velocity")
    command = [sys.executable, str(Path(__file__).parent / "velocity_probe.py"), "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return folder


@pytest.fixture(scope="module")
def run_folder(probed: Path) -> Path:
    (folder,) = (probed / "logs" / "rsl_rl" / "g1_velocity").iterdir()
    return folder


def documented(heading: str = "## Every number") -> dict[str, dict[str, list[float]]]:
    """Rows of the table of numbers in a section of docs/tasks.md: numbers by what they belong to."""
    section = (ROOT / "docs" / "tasks.md").read_text().split(heading)[1].split("\n## ")[0]
    section = section[section.index("| what | numbers | meaning |") :]
    rows = [re.split(r" *\| *", line.strip("| ")) for line in section.splitlines() if line.startswith("| ")]
    table = {}
    for what, numbers, *_ in rows[1:]:
        pairs = [pair.split("=") for pair in numbers.split(", ") if pair]
        table[what] = {name: [float(bound) for bound in text.split("..")] for name, text in pairs}
    return table


def test_the_table_holds_every_number_of_the_environment(probed: Path):
    built, table = json.loads((probed / "numbers.json").read_text()), documented()
    assert sorted(table) == sorted(built)
    for what, numbers in built.items():
        assert table[what].keys() == numbers.keys(), what
        for name, values in numbers.items():
            assert table[what][name] == pytest.approx(values, rel=1e-3), f"{what} {name}"


def test_rewards_of_the_task_itself(probed: Path):
    found = json.loads((probed / "behaviour.json").read_text())
    kernel = math.exp(-(0.3**2) / 0.5**2)  # env 2 is told to stand
    assert found["heading"] == pytest.approx([kernel, kernel, 1.0, kernel], rel=1e-4)
    assert found["terminated"] == [False, True, False, False] and found["rewards_finite"]


def test_a_run_evaluates_to_the_seven_numbers(probed: Path, run_folder: Path):
    numbers = json.loads((probed / "numbers_of_walks.json").read_text())
    assert set(KEYS) <= set(numbers) and numbers["num_rollouts"] == 3
    assert numbers["survived"] == 1.0 and numbers["falls_per_minute"] == 0.0 and numbers["velocity_error"] is None
    report = json.loads((run_folder / "evaluation" / "report.json").read_text())
    assert report["overall"] == numbers and set(report["pose_clips"]) == {"walk", "squat"}
    assert (run_folder / "evaluation" / "played.html").stat().st_size > 10_000


def test_the_exported_policy_walks_in_plain_mujoco(run_folder: Path, tmp_path: Path):
    path = run_folder / "exported" / "policy.onnx"
    policy = load_policy(path)
    assert policy.spec.velocity_ranges.lin_vel_x == (-0.3, 1.0) and policy.spec.clips == ()
    assert "lin_vel_x: [-0.3, 1.0]" in (path.parent / "deploy.yaml").read_text()
    result = walk_by_command(path, VelocityCommand(0.5), Conditions(num_rollouts=2, seconds=0.5), tmp_path)
    assert result.overall["survived"] == 1.0 and result.overall["num_rollouts"] == 2
    assert np.isfinite([result.overall[key] for key in ("slip", "jerk", "pose_distance")]).all()
    with pytest.raises(ValueError, match=r"vx=2 m/s is outside of the range.*-0.3 to 1"):
        walk_by_command(path, VelocityCommand(2.0), Conditions(), tmp_path)


def test_an_untrained_policy_stands_alike_in_both_engines(probed: Path, run_folder: Path, tmp_path: Path):
    """A policy without training holds its targets: Isaac Lab and plain MuJoCo let it stand for half a second alike."""
    policy = run_folder / "exported" / "policy.onnx"
    plain = walk_by_command(policy, VelocityCommand(), Conditions(2, 0.5), tmp_path).overall
    lab = json.loads((probed / "numbers_of_walks.json").read_text())
    assert plain["pose_distance"] == pytest.approx(lab["pose_distance"], abs=0.02)


def test_a_page_in_which_the_robot_walks_where_it_is_told(run_folder: Path):
    walk = open_live_walk(run_folder / "exported" / "policy.onnx", VelocityCommand(0.4), port=18_780, max_steps=3)
    assert walk.num_falls == 0 and walk.walker.simulation.data.time == pytest.approx(3 * 0.02)
    walk.walker.simulation.data.qpos[:3] = [9.0, 0.0, 0.76]  # far away: it starts over
    assert walk.advance()[0][0, 0] == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--command", "vx=nan"], "vx is 'nan', expected a finite number"),
        (["--command", "vx=3"], "vx=3 m/s is outside of the range"),
        (["--command", "speed=1"], "Unknown part of the command 'speed=1': 'speed'. Known: vx, vy, heading"),
        (["--seconds", "0"], "--seconds is 0, expected more than 0"),
        (["--scenarios", "fast_motion"], "'fast_motion' changes a clip, and this task has none"),
        (["--start_frames", "random"], "--start_frames random is for clips"),
    ],
)
def test_a_bad_evaluation_is_refused_before_the_simulator_starts(run_folder: Path, monkeypatch, arguments, said):
    monkeypatch.setattr(sys, "argv", ["evaluate.py"])
    monkeypatch.setattr("whole_body_tracking.evaluation.walking.run.tracking_env", None)  # a start would fail otherwise
    checkpoint = str(run_folder / "model_1.pt")
    with pytest.raises(ValueError, match=re.escape(said)):
        evaluate(["--task", "Velocity-Flat-G1-v0", "--checkpoint", checkpoint, "--device", "cpu", *arguments])


def test_a_command_is_refused_for_a_task_that_tracks_clips(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["evaluate.py"])
    with pytest.raises(ValueError, match="--command is for tasks that walk by command, and Tracking-Flat-G1-v0"):
        evaluate(["--task", "Tracking-Flat-G1-v0", "--device", "cpu", "--command", "vx=0.5"])
