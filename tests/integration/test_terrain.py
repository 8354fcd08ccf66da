"""Generated terrain on engines: robots start on it, fall onto it, and their references follow it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", params=[pytest.param("mujoco_cpu", marks=pytest.mark.slow), "ovphysx"])
def measured(request, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("terrain")
    command = [sys.executable, str(Path(__file__).parent / "terrain_probe.py"), request.param, str(folder / "out.json")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads((folder / "out.json").read_text())


def test_envs_stand_at_different_heights(measured):
    heights = [origin[2] for origin in measured["origins"]]
    assert max(heights) - min(heights) > 0.05
    assert len({(round(x, 3), round(y, 3)) for x, y, _ in measured["origins"]}) == len(heights)
    for height, ground in zip(heights, measured["ground"], strict=True):
        assert height == pytest.approx(ground, abs=0.05)  # the mean over a square of 0.6 m


def test_references_keep_their_height_above_the_ground(measured):
    assert measured["reference"] == pytest.approx([0.0] * len(measured["reference"]), abs=2e-3)


def test_robots_start_on_the_ground(measured):
    """A foot is at most as deep as a step under it is high."""
    assert min(measured["start"]) > -0.045 and max(measured["start"]) < 0.045


def test_fallen_robots_lie_on_the_terrain(measured):
    """MuJoCo keeps shapes with a gap 2 cm above a height field; without any contact they would fall through it."""
    assert max(measured["fallen"]) < 0.01 and min(measured["fallen"]) > -0.03
    assert min(measured["root"]) < 0.4
