"""``train_muscle.py`` as a process, on a small network."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).parents[2] / "scripts" / "muscle" / "train_muscle.py"
SMALL = ["--hidden", "290", "--batch_size", "32", "--save_every", "10"]


def run(folder: Path, *flags: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(SCRIPT), "--output_dir", str(folder), *SMALL, *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_train_refuse_resume(tmp_path):
    folder, summary = tmp_path / "muscles", tmp_path / "summary.json"
    first = run(folder, "--iterations", "20", "--json", str(summary))
    assert first.returncode == 0, first.stderr
    assert "times faster" in first.stdout
    written = json.loads(summary.read_text())
    assert written["iteration"] == 20
    assert {"torque_error", "speedup", "least_squares_error"} <= written.keys()
    assert len((folder / "progress.csv").read_text().splitlines()) == 3
    assert list(folder.glob("events.out.tfevents.*"))

    resumed = run(folder, "--iterations", "40", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    rows = (folder / "progress.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == ["10", "20", "30", "40"]


def test_a_missing_folder_for_the_json_is_named(tmp_path):
    refused = run(tmp_path / "muscles", "--json", str(tmp_path / "gone" / "summary.json"))
    assert refused.returncode != 0
    assert f"--json: the folder {tmp_path / 'gone'} does not exist" in refused.stderr
    assert not (tmp_path / "muscles").exists()
