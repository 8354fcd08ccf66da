"""A clip from the registry, a run that logs to W&B, its checkpoint played from there: the real client throughout."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TASK = ["--task=Tracking-Flat-G1-v0", "physics=mujoco_cpu", "--device", "cpu"]
CRITIC = ["agent.critic.hidden_dims=[16]"]
NAME = "ORG/wandb-registry-motions/knees"


def run(folder: Path, script: str, *arguments: str) -> str:
    command = [sys.executable, str(ROOT / "scripts" / "rsl_rl" / script), *TASK, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_from_the_registry_to_a_policy_and_back(wandb_store, tmp_path, monkeypatch):
    wandb_store.add_clip("knees", DEFAULT_MOTION_FILE.read_bytes())
    small = ["--num_envs", "8", "--max_iterations", "2", "agent.save_interval=1", "agent.actor.hidden_dims=[16]"]
    log = ["--headless", "--logger", "wandb", "--log_project_name", "P", "--run_name", "R"]
    run(tmp_path, "train.py", "--registry_name", NAME, *log, *small, *CRITIC)

    (logged,) = [run for run in wandb_store.runs.values() if run.project == "P"]
    assert logged.display_name.endswith("R") and logged.state == "finished"
    assert {"Train/mean_reward", "Motion/knees/failure_rate"} <= {key for row in logged.history for key in row}
    assert {"model_0.pt", "model_1.pt", "policy.onnx"} <= set(logged.files)
    (policy,) = tmp_path.glob("logs/rsl_rl/*/*/exported/policy.onnx")
    assert wandb_store.blobs[f"/storage/run/{logged.path}/policy.onnx"] == policy.read_bytes()
    (provenance,) = tmp_path.glob("logs/rsl_rl/*/*/provenance.json")
    assert [clip["name"] for clip in json.loads(provenance.read_text())["clips"]] == ["knees"]

    os.rename(tmp_path / "logs", tmp_path / "lost")  # only what W&B holds is left
    flags = ["--num_envs=2", "--max_steps", "3", f"--wandb_path={logged.path}", "--registry_name", f"{NAME}:v0"]
    assert "Played 3 steps of model_1.pt" in run(tmp_path, "play.py", *flags)

    monkeypatch.setenv("WBT_RESUME_WANDB", logged.path)
    monkeypatch.setenv("WBT_PYTHON", sys.executable)
    command = ["bash", str(ROOT / "scripts" / "train_resume.sh"), "knees", *TASK, "--registry_name", NAME, *small]
    done = subprocess.run([*command, *CRITIC, "--max_iterations", "3"], cwd=tmp_path, timeout=300)
    assert done.returncode == 0
    assert [path.name for path in tmp_path.glob("logs/rsl_rl/knees/*/model_*.pt")] == ["model_2.pt"]


@pytest.mark.slow
def test_several_names_are_replayed(wandb_store, tmp_path):
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    for name in ("walk1", "walk2"):
        clip.joint_pos[0, 0] += 0.01
        clip.save(tmp_path / f"{name}.npz")
        wandb_store.add_clip(name, (tmp_path / f"{name}.npz").read_bytes())
    names = [f"ORG/wandb-registry-motions/{name}" for name in ("walk1:v0", "walk2:latest")]
    output = run(tmp_path, "../replay_npz.py", "--registry_name", *names, "--headless")
    assert "walk1" in output and "walk2" in output
