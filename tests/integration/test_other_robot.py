"""A robot that the package does not know, from its facts to a running task."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("five")
    command = [sys.executable, str(Path(__file__).parent / "other_robot_probe.py"), str(folder)]
    environment = os.environ | {"WBT_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=600, env=environment)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert [path.name[:5] for path in (folder / "cache" / "robots").iterdir()] == ["five-"]
    return json.loads((folder / "out.json").read_text())


def test_the_task_runs_with_the_facts_of_the_robot(played):
    assert played["body_names"] == ["base", "left_thigh", "left_shank", "right_thigh", "right_shank", "chest"]
    assert played["joint_names"] == [f"{name}_joint" for name in played["body_names"][1:]]
    assert played["mass"] == pytest.approx(4.0 + 2 * (1.5 + 1.0) + 5.0)
    # Policy: command 2 x 5, anchor 3 + 6, base velocities 6, joints 2 x 5, last action 5 = 40.
    # Critic: 4 tracked bodies x (3 + 6) more = 76.
    assert played["widths"] == {"policy": 40, "critic": 76}


def test_it_stands_and_is_rewarded(played):
    assert played["finite"] and played["reward"] > 0.0
    assert min(played["height"]) > 0.3  # 0.64 m standing; a fallen base lies below 0.1 m


def test_a_channel_is_looked_up_at_the_frame_aimed_at(played):
    # A start at frame 0 aims at frame 1: 100 + joint.
    assert played["first_target"] == [100.0, 101.0, 102.0, 103.0, 104.0]
