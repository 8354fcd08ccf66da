"""The chain on recorded motion, which is not part of the repository."""

from __future__ import annotations

import os
import sys

import pytest
from training_runs import REPOSITORY, TASK, iterations, run, run_folder, script

from whole_body_tracking.motion import MotionClip

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """Ten seconds of a walk as a clip: rows 3160 to 3460, counted from 0 without the last."""
    motions = os.environ.get("WBT_SHARED_MOTIONS", REPOSITORY.parent / "shared" / "motions")
    source = os.path.join(motions, "lafan1", "walk1_subject1.csv")
    if not os.path.isfile(source):
        pytest.skip("no shared motions; set WBT_SHARED_MOTIONS")
    folder = tmp_path_factory.mktemp("walk")
    convert = [sys.executable, str(REPOSITORY / "scripts" / "csv_to_npz.py"), "--input_file", str(source)]
    arguments = ["--input_fps", "30", "--frame_range", "3161", "3460", "--output_file", "walk.npz", "--headless"]
    run(convert + arguments, folder)
    return folder / "walk.npz"


def test_frames(walk):
    clip = MotionClip.load(walk)
    assert clip.fps == 50.0
    assert len(clip.joint_pos) == 499  # 299 intervals of 1/30 s, 9.967 s: the last grid point is 9.96 s


@pytest.mark.parametrize(("engine", "num_iterations"), [("mujoco_cpu", 20), ("ovphysx", 3)])
def test_training(walk, tmp_path, engine, num_iterations):
    arguments = (f"--task={TASK}", "--motion_file", walk, "--num_envs", 16, "--max_iterations", num_iterations)
    run(script("train.py", *arguments, f"physics={engine}"), tmp_path)
    assert iterations(run_folder(tmp_path))[-1] == num_iterations - 1
