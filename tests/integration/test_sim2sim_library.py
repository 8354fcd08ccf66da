"""A policy of several clips in sim2sim: it observes what Isaac Lab showed it, rebuilt from the exported files alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from whole_body_tracking.motion import DEFAULT_MOTION_FILE

pytestmark = pytest.mark.integration

ADDED_TERMS = {
    "none": [],
    "motion_one_hot": ["motion_identity"],
    "motion_embedding": ["motion_identity"],
    "motion_preview": ["preview_joint_pos", "preview_anchor_pos_b", "preview_anchor_ori_b"],
}
SINGLE_CLIP_TERMS = 8
RANGES = [[1, 60], [61, 150], [151, 251]]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> Path:
    """Three parts of the shipped clip."""
    path = tmp_path_factory.mktemp("clips") / "motions.yaml"
    rows = [f"  - {{file: '{DEFAULT_MOTION_FILE}', frame_range: {frames}}}\n" for frames in RANGES]
    path.write_text("motions:\n" + "".join(rows))
    return path


@pytest.fixture(scope="module", params=list(ADDED_TERMS))
def exported(request, manifest, tmp_path_factory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp(request.param)
    probe = str(Path(__file__).with_name("sim2sim_probe.py"))
    command = [sys.executable, probe, request.param, str(manifest), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return request.param, folder


def test_every_term_equals_what_isaac_lab_observed(exported):
    preset, folder = exported
    result = json.loads((folder / "result.json").read_text())
    assert list(result["terms"])[SINGLE_CLIP_TERMS:] == ADDED_TERMS[preset]
    assert result["seen"] == [0, 1, 2] and result["num_held"] > 0
    assert max(result["terms"].values()) < 2e-5, result["terms"]


def test_the_graph_without_clips_equals_torch(exported):
    _, folder = exported
    assert json.loads((folder / "result.json").read_text())["parity"] < 1e-5


def test_the_script_plays_the_clips_beside_the_policy(exported, manifest):
    preset, folder = exported
    names = [f"squat_{first}-{last}" for first, last in RANGES]
    script = str(Path(__file__).parents[2] / "scripts" / "sim2sim.py")
    policy = folder / "exported" / "policy.onnx"
    chosen = ["--motion", names[0]] if preset == "none" else []
    command = [sys.executable, script, "--policy", str(policy), "--num_rollouts", "1", *chosen]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads((policy.parent / "sim2sim" / "report.json").read_text())
    assert [row["name"] for row in report["per_clip"]] == (names[:1] if chosen else names)
    assert sorted(path.name for path in policy.parent.iterdir()) == [
        "clips", "deploy.yaml", "policy.json", "policy.onnx", "policy.pt", "sim2sim",
    ]  # fmt: skip
