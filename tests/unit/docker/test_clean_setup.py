"""The set-up steps of the kit-less image in a folder that holds only what the image's steps have copied."""

import os
import shutil
import subprocess

import pytest
from docker_files import DOCKER, REPOSITORY, copied_sources, enters_context

pytestmark = pytest.mark.slow

SETUP_FILES = [
    source for source in copied_sources(DOCKER / "Dockerfile.kitless") if not source.startswith(("docker/", "."))
] + [".python-version"]


def copy_into(folder, paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / path, folder / path)


def tracked_files():
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return [path for path in listed.stdout.splitlines() if enters_context(path) and (REPOSITORY / path).is_file()]


def test_environment_of_the_image(tmp_path):
    copy_into(tmp_path, SETUP_FILES)
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environment |= {"UV_NO_DEV": "1"}
    subprocess.run(["scripts/setup.sh"], cwd=tmp_path, env=environment, check=True)
    assert not (tmp_path / ".venv" / "bin" / "pytest").exists(), "development tools are in the image"
    copy_into(tmp_path, tracked_files())
    code = "import whole_body_tracking as w; from whole_body_tracking.motion import DEFAULT_MOTION_FILE as f; print(f)"
    done = subprocess.run(
        [".venv/bin/python", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert str(tmp_path) in done.stdout, done.stderr
    train = ["--task", "Tracking-Flat-G1-v0", "--num_envs", "4", "--max_iterations", "1", "physics=mujoco_cpu"]
    subprocess.run(
        [".venv/bin/python", "scripts/rsl_rl/train.py", "--device", "cpu", *train],
        cwd=tmp_path,
        env=environment,
        check=True,
    )
    assert list(tmp_path.glob("logs/rsl_rl/*/*/model_0.pt"))
