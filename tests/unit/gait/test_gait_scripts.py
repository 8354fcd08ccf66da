"""The command lines of scripts/gait: what they print and write, and bad input."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from whole_body_tracking.motion import MotionClip

pytestmark = [pytest.mark.unit, pytest.mark.integration]
SCRIPTS = Path(__file__).parents[3] / "scripts" / "gait"


@pytest.fixture
def script(monkeypatch, capsys):
    """Run a script in this process; returns exit status, stdout and stderr."""

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [str(SCRIPTS / name), *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(SCRIPTS / name), run_name="__main__")
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    return run


def test_generate_then_measure(script, tmp_path):
    walk = tmp_path / "walk.npz"
    options = ("--speed", 0.5, "--cadence", 100, "--clearance", 0.08, "--seconds", 5, "--output_file", walk)
    status, out, err = script("generate.py", *options)
    assert status == 0, err
    assert "wanted" in out and "highest" in out and f"Written: {walk}" in out
    clip = MotionClip.load(walk)
    assert clip.num_frames == 251 and clip.source["gait"]["parameters"][0]["clearance"] == 0.08
    status, out, err = script(
        "measure.py", "--motion_file", walk, "--json", tmp_path / "gait.json", "--output_dir", tmp_path, "--plot"
    )
    assert status == 0, err
    (numbers,) = json.loads((tmp_path / "gait.json").read_text())["clips"]
    assert numbers["name"] == "walk" and numbers["speed"] == pytest.approx(0.5, rel=0.02)
    assert numbers["cadence"] == pytest.approx(100.0, rel=0.01) and numbers["clearance"] == pytest.approx(
        0.08, abs=5e-3
    )
    assert (tmp_path / "cycles.csv").read_text().count("\n") == 1 + numbers["num_cycles"]
    assert (tmp_path / "clips.csv").read_text().startswith("name,")
    assert (tmp_path / "walk_gait.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--speed", 3, "--output_file", "a.npz"), "speed is 3 m/s, allowed are -0.3 to 0.9"),
        (("--speed", "nan", "--output_file", "a.npz"), "speed is nan, expected a finite number"),
        (("--speed", 0.6, "--cadence", 100, "--stride_length", 1, "--output_file", "a.npz"), "contradict each other"),
        (("--speed", 0.6), "--output_file is missing"),
        (("--output_file", "a.csv"), "should end in .npz"),
        (("--output_fps", 0, "--output_file", "a.npz"), "allowed are 10 to 240"),
        (("--schedule", "none.csv", "--output_file", "a.npz"), "none.csv"),
        (("--model", "none.npz", "--output_file", "a.npz"), "none.npz does not exist"),
    ],
)
def test_bad_input_of_generate_is_one_line_and_writes_nothing(script, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    status, _, err = script("generate.py", *options)
    assert status == 1 and message in err and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_bad_input_of_the_others(script, tmp_path):
    status, _, err = script("measure.py", "--motion_file", "none.npz")
    assert status == 1 and "none.npz" in err
    status, _, err = script("measure.py", "--motion_file", "none.npz", "--plot")
    assert status == 1 and "--output_dir" in err
    status, _, err = script("augment.py", "--num_gaits", 3, "--output_dir", tmp_path, "--range", "sped", 0, 1)
    assert status == 1 and "Did you mean 'speed'" in err
    status, _, err = script("evaluate_expert.py", "--policy=gone.onnx")
    assert status == 1 and "gone.onnx" in err
    recorded = ("--num_gaits", 3, "--output_dir", tmp_path / "gaits", "--motion_file", "none.npz")
    status, _, err = script("augment.py", *recorded, "--seed=3", "--num_workers", 2)
    assert status == 1 and "neither drawn nor planned. Leave out --seed, --num_workers." in err
    status, _, err = script("train_forward_gaitnet.py", "--data_dir", tmp_path, "--output_dir", tmp_path)
    assert status == 1 and "augment.py" in err


def test_a_clip_without_a_walk_has_nulls(script, tmp_path):
    from whole_body_tracking.motion import DEFAULT_MOTION_FILE

    status, out, err = script("measure.py", "--motion_file", DEFAULT_MOTION_FILE, "--json", tmp_path / "gait.json")
    assert status == 0 and "no gait cycle found" in out, err
    assert json.loads((tmp_path / "gait.json").read_text())["clips"][0]["speed"] is None
    assert np.isfinite(json.loads((tmp_path / "gait.json").read_text())["clips"][0]["duration"])
