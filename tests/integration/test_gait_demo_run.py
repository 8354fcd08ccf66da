"""``scripts/gait/demo.py`` from data to walks with tiny budgets: stopped in between, and called again at its end."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow]
SCRIPT = Path(__file__).parents[2] / "scripts" / "gait" / "demo.py"
OPTIONS = ("--minutes", "3", "--num_data", "40", "--num_gaits", "2")


def start(folder, *options) -> subprocess.Popen:
    command = [sys.executable, str(SCRIPT), *OPTIONS, "--output_dir", str(folder), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_demo_that_was_stopped_goes_on_to_its_report(tmp_path):
    """The first call is stopped when the data set is half made, the second makes the rest, the third finds all."""
    folder = tmp_path / "demo"
    first = start(folder)
    while not (folder / "gaits" / "unfinished.npz").exists():
        assert first.poll() is None, first.stdout.read()
        time.sleep(0.1)
    first.send_signal(signal.SIGINT)
    text, _ = first.communicate(timeout=60)
    assert first.returncode == 130 and "The same command goes on from here" in text

    second = start(folder, "--json", folder / "numbers.json")
    text, _ = second.communicate(timeout=1500)
    assert second.returncode == 0, text
    content = json.loads((folder / "demo.json").read_text())
    assert content == json.loads((folder / "numbers.json").read_text())
    assert {"mujoco_cpu", "plain MuJoCo"} <= content["walks"].keys()
    assert all(found["num_gaits"] == 2 for found in content["walks"].values())
    assert content["training"]["iterations"] > 0 and Path(content["files"]["policy"]).is_file()
    assert content["not_reached"] and "Going on with the demo" in text  # seconds of training are no expert

    third = start(folder, "--json")
    text, _ = third.communicate(timeout=120)
    assert third.returncode == 0 and json.loads(text.splitlines()[-1])["walks"] == content["walks"]
    assert "done data" not in text and "done walk" not in text
