"""A policy of several clips in sim2sim: it observes what Isaac Lab showed it, rebuilt from the exported files alone."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from training_runs import REPOSITORY, run, script

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
NAMES = [f"squat_{first}-{last}" for first, last in RANGES]
MULTI = ["--task=Tracking-Flat-G1-Multi-v0", "--device", "cpu", "--seed", 1, "physics=mujoco_cpu"]
SMALL = ["presets=motion_preview", "agent.actor.hidden_dims=[16]", "agent.critic.hidden_dims=[16]"]
SIM2SIM = [sys.executable, str(REPOSITORY / "scripts" / "sim2sim.py"), "--num_rollouts", "1", "--policy"]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> Path:
    """Three parts of the shipped clip."""
    path = tmp_path_factory.mktemp("clips") / "motions.yaml"
    rows = [f"  - {{file: '{DEFAULT_MOTION_FILE}', frame_range: {frames}}}\n" for frames in RANGES]
    path.write_text("motions:\n" + "".join(rows))
    return path


PRESETS = [
    pytest.param(name, marks=[] if name in ("motion_one_hot", "motion_preview") else pytest.mark.slow)
    for name in ADDED_TERMS
]
"""An embedding observes what a one-hot does, and each has the terms of none."""


@pytest.fixture(scope="module", params=PRESETS)
def exported(request, manifest, tmp_path_factory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp(request.param)
    probe, copy = str(Path(__file__).with_name("sim2sim_probe.py")), shutil.copy(manifest, folder)
    command = [sys.executable, probe, request.param, copy, str(folder)]
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


def test_the_script_plays_the_clips_beside_the_policy(exported):
    preset, folder = exported
    policy = folder / "exported" / "policy.onnx"
    chosen = ["--motion", NAMES[0]] if preset == "none" else []
    run([*SIM2SIM, str(policy), *chosen], folder)
    report = json.loads((policy.parent / "sim2sim" / "report.json").read_text())
    assert [row["name"] for row in report["per_clip"]] == (NAMES[:1] if chosen else NAMES)
    assert sorted(path.name for path in policy.parent.iterdir()) == [
        "clips", "deploy.yaml", "policy.json", "policy.onnx", "policy.pt", "sim2sim",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_trained_policy_plays_two_of_its_clips_elsewhere(manifest, tmp_path):
    """Trained, copied without the third clip, played; then played and exported with a clip that it never saw."""
    train = script("train.py", *MULTI, *SMALL, "--motion_file", manifest, "--num_envs", 8, "--max_iterations", 2)
    run(train, tmp_path)
    (exported,) = tmp_path.glob("logs/rsl_rl/g1_multi/*/exported")
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(exported, elsewhere)
    next((elsewhere / "clips").glob(f"{NAMES[2]}-*")).unlink()
    run([*SIM2SIM, str(elsewhere / "policy.onnx"), "--motion", *NAMES[:2]], tmp_path)
    report = json.loads((elsewhere / "sim2sim" / "report.json").read_text())
    assert list(report["clips"]) == NAMES[:2] and report["overall"]["num_rollouts"] == 2

    before = {path: path.read_bytes() for path in exported.iterdir() if path.is_file()}
    again = ["--motion_file", DEFAULT_MOTION_FILE, "--checkpoint", "latest", "--max_steps", 1, "--num_envs", 1]
    run(script("play.py", *MULTI, *SMALL, *again), tmp_path)
    assert {path: path.read_bytes() for path in exported.iterdir() if path.is_file()} == before
    run(script("play.py", *MULTI, *SMALL, *again, "--export", "alone", "--no_clips"), tmp_path)
    spec = json.loads((tmp_path / "alone" / "policy.json").read_text())
    assert [clip["name"] for clip in spec["clips"]] == ["squat"] and spec["reference_in_graph"]
    assert [clip["name"] for clip in spec["trained_on"]] == NAMES and spec["clips_folder"] == ""
    assert {path: path.read_bytes() for path in exported.iterdir() if path.is_file()} == before
