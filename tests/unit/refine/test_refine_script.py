"""The command line of refine_actions.py: tables, JSON with stable keys, files, and bad input."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from refine_samples import squat_part, standing

from whole_body_tracking.motion import MotionClip

pytestmark = pytest.mark.unit

SCRIPT = Path(__file__).parents[3] / "scripts" / "refine_actions.py"
KEYS = {"single_step_joint_error", "fifty_step_joint_error", "root_drift", "finished", "mpkpe_cm", "seconds"}


@pytest.fixture
def script(monkeypatch, capsys):
    """Run the script in this process; returns exit status, stdout and stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(SCRIPT), run_name="__main__")
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    return run


@pytest.fixture
def clip_file(tmp_path):
    return squat_part(60).save(tmp_path / "squat_part.npz")


@pytest.mark.integration
def test_one_clip(script, clip_file, tmp_path):
    output, numbers = tmp_path / "out" / "refined.npz", tmp_path / "numbers.json"
    status, out, err = script(
        "--motion_file", clip_file, "--method", "invdyn", "--output_file", output, "--json", numbers, "--plot"
    )
    assert status == 0, err
    assert "inverse_dynamics" in out and "root residual" in out and "Written" in out
    content = json.loads(numbers.read_text())
    assert content["clip"] == "squat_part" and list(content["methods"]) == ["inverse_dynamics"]
    found = content["methods"]["inverse_dynamics"]
    assert set(found) == KEYS and found["finished"] is True
    assert found["fifty_step_joint_error"] < 0.005 and found["root_drift"] < 0.01
    with np.load(output) as file:
        assert file["joint_target"].shape == (60, 29) and file["root_residual"].shape == (60,)
    assert json.loads(json.dumps(MotionClip.load(output).source))["refinement"]["method"] == "inverse_dynamics"
    assert (output.parent / "refined_errors.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.integration
def test_several_clips_and_a_clip_shorter_than_a_window(script, clip_file, tmp_path):
    standing(20).save(tmp_path / "short.npz")
    status, out, err = script(
        "--motion_file", clip_file, tmp_path / "short.npz", "--method", "invdyn", "--output_dir", tmp_path / "out",
        "--json", tmp_path / "numbers.json", "--replace_reference",
    )  # fmt: skip
    assert status == 0, err
    first, second = json.loads((tmp_path / "numbers.json").read_text())
    assert (first["clip"], second["clip"]) == ("squat_part", "short")
    assert second["methods"]["inverse_dynamics"]["fifty_step_joint_error"] is None
    played = MotionClip.load(tmp_path / "out" / "squat_part.npz")
    assert played.source["played"] and played.digest != squat_part(60).digest
    assert "over 0.2" in out


@pytest.mark.integration
def test_verification(script, clip_file, tmp_path):
    assert script("--motion_file", clip_file, "--method", "invdyn", "--output_file", tmp_path / "targets.npy")[0] == 0
    status, out, err = script("--motion_file", clip_file, "--verify", "--actions", tmp_path / "targets.npy")
    assert status == 0, err
    assert len(out.splitlines()) == 12 and out.splitlines()[-1].split()[0] == "50"
    refined = float(out.splitlines()[-1].split()[1])
    _, out, _ = script("--motion_file", clip_file, "--verify", "--num_steps", 50)
    assert refined < 0.005 < float(out.splitlines()[-1].split()[1])
    _, out, _ = script(
        "--motion_file", clip_file, "--verify", "--test", "single", "--json", tmp_path / "verification.json"
    )
    assert out.splitlines()[-1].split()[0] == "1"
    assert json.loads((tmp_path / "verification.json").read_text())["num_steps"] == 1


@pytest.mark.integration
def test_a_method_that_diverges_says_so(script, clip_file):
    status, out, _ = script("--motion_file", clip_file, "--method", "feedback", "--alpha", 20)
    assert status == 0
    assert "diverged with alpha 20" in out and "is safe" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "magic"], r"No method is called \['magic'\].*inverse_dynamics"),
        (["--output_file", "out.csv"], r"should end in \.npz"),
        (["--output_file", "out.npz", "--output_dir", "out"], "--output_file for one clip, or --output_dir"),
        (["--json", "no_such_folder/numbers.json"], "no_such_folder does not exist"),
        (["--robot", "h1"], "Unknown robot: 'h1'"),
        (["--samples", "1", "--method", "mpc"], "samples 1 should be at least 2"),
        (["--verify", "--num_steps", "60"], "--num_steps 60 should be between 1 and the 59 steps"),
    ],
)
def test_bad_arguments(script, clip_file, arguments, message, monkeypatch, tmp_path):
    import re

    monkeypatch.chdir(tmp_path)
    status, _, err = script("--motion_file", clip_file, *arguments)
    assert status == 1 and re.search(message, err), err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["squat_part.npz"]


def test_a_clip_is_not_overwritten_by_itself(script, clip_file):
    status, _, err = script("--motion_file", clip_file, "--output_file", clip_file)
    assert status == 1 and "would overwrite itself" in err
