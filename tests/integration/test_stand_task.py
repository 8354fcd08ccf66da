"""A task without a reference trains, continues, plays and exports through the same code as the tracking tasks."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from whole_body_tracking.export.loader import load_policy

pytestmark = pytest.mark.integration


def run(folder: Path, *arguments: str, status: int = 0) -> str:
    command = [sys.executable, str(Path(__file__).parent / "stand_task.py"), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == status, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("stand")
    run(folder, "train", "--max_iterations", "2")
    (run_folder,) = (folder / "logs" / "rsl_rl" / "stand").iterdir()
    return run_folder


def test_a_run_has_all_but_clips(trained: Path):
    assert (trained / "model_1.pt").is_file() and (trained / "progress.csv").is_file()
    assert not (trained / "clips.csv").exists()
    assert json.loads((trained / "provenance.json").read_text())["clips"] == []


def test_the_exported_policy_holds_no_reference(trained: Path):
    policy = load_policy(trained / "exported" / "policy.onnx")
    assert (policy.spec.task, policy.spec.clips, policy.spec.reference_in_graph) == ("Stand-G1-v0", (), False)
    actions = policy.run(np.zeros((1, policy.spec.num_observations), dtype=np.float32))["actions"]
    assert actions.shape == (1, 29)


@pytest.mark.slow
def test_it_continues_and_plays(trained: Path):
    folder = trained.parents[3]
    run(folder, "train", "--max_iterations", "3", "--checkpoint", "latest")
    assert (trained / "model_2.pt").is_file()
    said = run(folder, "play", "--checkpoint", str(trained), "--max_steps", "5", "--export", "copy")
    assert "num_steps=5" in said and (folder / "copy" / "policy.onnx").is_file()


def test_naming_a_motion_is_refused_before_the_simulator_starts(tmp_path: Path):
    said = run(
        tmp_path, "train", "--motion_file", str(Path(__file__).parents[1] / "fixtures/v0_1_0/squat.npz"), status=1
    )
    assert "Stand-G1-v0 tracks no motion" in said
