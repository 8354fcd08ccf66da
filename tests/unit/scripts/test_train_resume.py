"""The wrapper that starts and restarts an experiment with one command line."""

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

SCRIPT = Path(__file__).parents[3] / "scripts" / "train_resume.sh"


@pytest.fixture
def resume(tmp_path):
    """Run the wrapper with a stand-in for Python that prints its arguments; returns the finished process."""
    python = tmp_path / "python"
    python.write_text('#!/bin/bash\nshift\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)

    def run(*arguments, **environment):
        environment |= {"WBT_PYTHON": str(python), "PATH": "/usr/bin:/bin"}
        return subprocess.run([SCRIPT, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True)

    return run


def arguments_of(done):
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[1:]


def test_first_start(resume):
    done = resume("walk", "--task", "T", "a b")
    assert arguments_of(done) == ["--experiment_name", "walk", "--task", "T", "a b"]


def test_continues_where_a_checkpoint_is(resume, tmp_path):
    folder = tmp_path / "logs" / "rsl_rl" / "walk" / "2026-01-01_00-00-00"
    folder.mkdir(parents=True)
    assert "--checkpoint" not in arguments_of(resume("walk", "--task", "T")), "a run folder without a checkpoint"
    (folder / "model_500.pt").touch()
    expected = ["--experiment_name", "walk", "--checkpoint", "latest", "--task", "T"]
    assert arguments_of(resume("walk", "--task", "T", WBT_RESUME_WANDB="o/p/r")) == expected
    assert "--checkpoint" not in arguments_of(resume("run", "--task", "T")), "another experiment"


def test_a_run_without_a_checkpoint_begins_again_in_its_folder(resume, tmp_path):
    for name in ("2026-01-01_00-00-00_a", "2026-01-02_03-04-05_a"):
        (tmp_path / "logs" / "rsl_rl" / "walk" / name).mkdir(parents=True)
    expected = ["--experiment_name", "walk", "--run_timestamp", "2026-01-02_03-04-05", "--run_name", "a"]
    assert arguments_of(resume("walk", "--run_name", "a")) == expected


def test_a_lost_disk_continues_from_wandb(resume):
    expected = ["--experiment_name", "walk", "--wandb_path", "o/p/r"]
    assert arguments_of(resume("walk", WBT_RESUME_WANDB="o/p/r")) == expected


@pytest.mark.parametrize("arguments", [[], ["--task", "T"], ["a/b"], [".."], ["walk", "--checkpoint", "x"]])
def test_bad_arguments_end_with_status_2(resume, arguments):
    done = resume(*arguments)
    assert done.returncode == 2 and done.stderr and not done.stdout
