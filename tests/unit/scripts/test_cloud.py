"""The cloud scripts on a machine without Docker: what they call and what they pack."""

import os
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.unit

REPOSITORY = Path(__file__).parents[3]
CLOUD = REPOSITORY / "scripts" / "cloud"


def make_run(folder, *checkpoints):
    for name in checkpoints:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_newest_run_is_packed_with_its_last_checkpoint(tmp_path):
    runs = tmp_path / "logs" / "rsl_rl" / "walk"
    make_run(runs / "2026-01-01_00-00-00", "model_9000.pt")
    make_run(runs / "2026-01-02_00-00-00", "model_500.pt", "model_1000.pt", "exported/policy.onnx", "progress.csv")
    make_run(runs / "2026-01-03_00-00-00", "run.json")  # died before its first checkpoint
    script = CLOUD / "collect_run.sh"
    done = subprocess.run([script, "walk", "out/walk.tar.gz"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with tarfile.open(tmp_path / "out" / "walk.tar.gz") as archive:
        names = {member.name for member in archive if member.isfile()}
    assert names == {"walk/model_1000.pt", "walk/exported/policy.onnx", "walk/progress.csv"}
    assert os.listdir(tmp_path / "out") == ["walk.tar.gz"]


def test_nothing_to_pack(tmp_path):
    make_run(tmp_path / "logs" / "rsl_rl" / "walk" / "2026-01-01_00-00-00", "run.json")
    script = CLOUD / "collect_run.sh"
    done = subprocess.run([script, "walk", "walk.tar.gz"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "no checkpoint below" in done.stderr and "Known experiments: walk" in done.stderr


@pytest.fixture
def machine(tmp_path):
    """The scripts in a folder of their own, with a recorder in place of Docker."""
    for script in ("train_and_report.sh", "collect_run.sh"):
        copy = tmp_path / "scripts" / "cloud" / script
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((CLOUD / script).read_bytes())
        copy.chmod(0o755)
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text('#!/bin/bash\necho "$HOST_UID $WBT_LOGS $*" >>calls\n')
    docker.chmod(0o755)
    make_run(tmp_path / "logs" / "rsl_rl" / "walk" / "2026-01-01_00-00-00", "model_0.pt")
    return tmp_path


def run_on(machine, *arguments):
    environment = os.environ | {"PATH": f"{machine / 'bin'}:{os.environ['PATH']}"}
    script = machine / "scripts" / "cloud" / "train_and_report.sh"
    return subprocess.run([script, *arguments], env=environment, capture_output=True, text=True)


def test_training_is_followed_by_its_evaluation(machine):
    done = run_on(machine, "walk", "--task", "T", "--motion_file", "a.npz", "b.npz", "--num_envs", "8")
    assert done.returncode == 0, done.stderr
    prefix = f"{os.getuid()} {machine}/logs compose --file docker/compose.yaml"
    run = f"{prefix} run --rm -T"
    assert (machine / "calls").read_text().splitlines() == [
        f"{prefix} build train-resume",
        f"{run} train-resume walk --task T --motion_file a.npz b.npz --num_envs 8",
        f"{run} --entrypoint python train scripts/rsl_rl/evaluate.py --task T --experiment_name walk"
        " --checkpoint latest --motion_file a.npz b.npz",
    ]
    assert (machine / "walk.tar.gz").exists()


def test_task_is_required(machine):
    done = run_on(machine, "walk")
    assert done.returncode == 2 and "--task is missing" in done.stderr and not (machine / "calls").exists()


def test_skypilot_task():
    """Fields are those of SkyPilot's task file; set-up and base are the kit-less image's."""
    task = yaml.safe_load((CLOUD / "skypilot.yaml").read_text())
    assert set(task) == {"name", "workdir", "resources", "envs", "secrets", "file_mounts", "setup", "run"}
    env = (REPOSITORY / "docker" / ".env").read_text()
    assert f"PYTHON_IMAGE={task['resources']['image_id'].removeprefix('docker:')}\n" in env
    assert task["secrets"] == {"WANDB_API_KEY": None}, "a secret has no value in the file"
    assert task["file_mounts"]["/logs"] == {"source": "${LOGS_BUCKET}", "mode": "MOUNT_CACHED"}
    for key in ("setup", "run"):
        subprocess.run(["bash", "-n"], input=task[key], text=True, check=True)
        scripts = [word for word in task[key].split() if word.endswith(".sh")]
        assert scripts and all((REPOSITORY / script).exists() for script in scripts)
