"""Command lines that talk to W&B, with the real client and a server on this machine."""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from whole_body_tracking.health import RunSettings, check_run, read_wandb_run
from whole_body_tracking.motion import DEFAULT_MOTION_FILE
from whole_body_tracking.rl.run.checkpoints import resolve_checkpoint

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
REGISTRY = "ORG/wandb-registry-motions"


def run(folder: Path, script: str, *arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "scripts" / script), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_convert_and_upload_in_one_command(wandb_store, tmp_path):
    csv, out = ROOT / "motions" / "squat.csv", tmp_path / "knees.npz"
    done = run(tmp_path, "csv_to_npz.py", "--input_file", csv, "--input_fps", 30, "--output_file", out, "--upload")
    assert done.returncode == 0, done.stderr
    assert f"{REGISTRY}/knees" in done.stdout
    (artifact,) = wandb_store.collections["wandb-registry-motions", "knees"].versions
    (path,) = wandb_store.files_of(artifact).values()
    assert wandb_store.blobs[path] == out.read_bytes()


def test_upload_prints_the_name_to_train_with(wandb_store, tmp_path):
    flags = ["--entity", "ORG", "--project", "wandb-registry-motions", "--name", "knees"]
    done = run(tmp_path, "upload_npz.py", "--input_file", DEFAULT_MOTION_FILE, *flags)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"{REGISTRY}/knees"), done.stderr


def test_without_a_key_it_says_where_to_get_one(wandb_store, tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    done = run(tmp_path, "upload_npz.py", "--input_file", DEFAULT_MOTION_FILE, "--entity", "ORG")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "No API key configured" in done.stderr and "Set WANDB_API_KEY or run `wandb login`" in done.stderr


def test_without_a_server_it_ends_soon_and_loses_nothing(wandb_store, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    started = time.monotonic()
    done = run(tmp_path, "upload_npz.py", "--input_file", DEFAULT_MOTION_FILE, "--entity", "ORG")
    assert time.monotonic() - started < 45.0
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "cannot be reached" in done.stderr and f"The clip stays at {DEFAULT_MOTION_FILE}" in done.stderr


def test_a_run_is_judged_by_its_own_settings(wandb_store, tmp_path):
    """A KL of 0.05 is five times the target that is in the run's configuration; without it nobody could tell."""
    import wandb

    algorithm = {"schedule": "fixed", "desired_kl": 0.01}
    env = {"sim": {"dt": 0.005}, "decimation": 4, "actions": {"joint_pos": {"class_type": "x:ResidualAction"}}}
    with wandb.init(project="P", id="kl", dir=tmp_path) as logged:
        wandb.config.update({"train_cfg": {"algorithm": algorithm}})  # as rsl_rl does
        wandb.config.update({"env_cfg": env})
        for iteration in range(60):
            logged.log({"Loss/kl": 0.05}, iteration)
    run_log = read_wandb_run("ORG/P/kl")
    assert run_log.settings == RunSettings("fixed", 0.01, step_dt=0.02, residual=True)
    assert [finding.name for finding in check_run(run_log)] == ["kl_above_target"]


def test_a_run_is_checked_from_its_curves(wandb_store, tmp_path):
    import wandb

    with wandb.init(project="P", id="abc", dir=tmp_path) as logged:
        for iteration in range(60):
            logged.log({"Train/mean_reward": 1.0, "Loss/value": float("nan") if iteration > 50 else 0.1}, iteration)
    done = run(tmp_path, "check_run.py", "--wandb_path", "ORG/P/abc", "--strict")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "non_finite" in done.stdout and "Loss/value" in done.stdout
    done = run(tmp_path, "check_run.py", "--wandb_path", "ORG/P/nothing")
    assert done.returncode == 1 and "Could not find run" in done.stderr and "local run folder" in done.stderr


def test_a_downloaded_checkpoint_is_the_newest(wandb_store, tmp_path, monkeypatch):
    import wandb

    monkeypatch.chdir(tmp_path)
    for iteration in (0, 5, 10):
        Path(f"model_{iteration}.pt").write_text(str(iteration))
    with wandb.init(project="P", id="abc") as logged:
        for iteration in (10, 5, 0):
            logged.save(f"model_{iteration}.pt", base_path=".")
    path = checkpoint_of("ORG/P/abc")
    assert path.read_text() == "10" and path.is_absolute() and os.fspath(tmp_path) in os.fspath(path)
    assert checkpoint_of("ORG/P/abc?checkpoint=5").read_text() == "5"


def test_what_holds_no_checkpoint_says_what_does(wandb_store):
    import wandb

    wandb.init(project="P", id="empty").finish()
    with pytest.raises(ValueError, match=r"No model checkpoints .* --logger wandb uploads .* pass --checkpoint PATH"):
        checkpoint_of("ORG/P/empty")
    with pytest.raises(FileNotFoundError, match=r"Could not find run .* pass --checkpoint PATH"):
        checkpoint_of("ORG/P/nothing")
    with pytest.raises(ValueError, match=r"logged no numbers yet\. Wait"):
        read_wandb_run("ORG/P/empty")


def checkpoint_of(run_path: str) -> Path:
    return resolve_checkpoint(argparse.Namespace(checkpoint=f"wandb:{run_path}"), None)
