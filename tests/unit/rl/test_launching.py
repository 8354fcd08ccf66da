"""Scripts as processes of their own, and the training folders that they leave behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from whole_body_tracking.rl.run.launching import (
    FINISHED_FILE,
    Training,
    latest_progress,
    read_progress,
    run_folder_in,
    run_logged,
    script_command,
    train_to_end,
)

pytestmark = pytest.mark.unit


def make_run(folder, name="2026-01-01_00-00-00", total_time=30.0):
    run = folder / "logs" / "rsl_rl" / "g1_demo" / name
    run.mkdir(parents=True)
    (run / "model_3.pt").write_bytes(b"")
    (run / "progress.csv").write_text(f"iteration,total_time\n2,10.0\n3,{total_time}\n")
    return run


def test_a_failing_command_is_quoted_with_the_end_of_its_log(tmp_path):
    command = [sys.executable, "-c", "print('first'); print('the reason'); raise SystemExit(3)"]
    with pytest.raises(ChildProcessError, match="the reason"):
        run_logged(command, tmp_path / "new", tmp_path / "step.log")
    assert (tmp_path / "step.log").read_text() == "first\nthe reason\n"


def test_sigterm_ends_the_command_too(tmp_path):
    pid_file = tmp_path / "pid"
    child = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    parent = (
        "import sys; from pathlib import Path; from whole_body_tracking.rl.run.launching import run_logged;"
        f"run_logged([sys.executable, '-c', {child!r}], Path({str(tmp_path)!r}), Path({str(tmp_path / 'log')!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30.0
    while not (pid_file.is_file() and pid_file.read_text()):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_the_newest_run_counts(tmp_path):
    old, new = make_run(tmp_path, "old"), make_run(tmp_path, "new", total_time=40.0)
    os.utime(old, (1, 1))
    os.utime(old / "progress.csv", (1, 1))
    assert run_folder_in(tmp_path) == new
    assert latest_progress(tmp_path) == {"iteration": 3.0, "total_time": 40.0}


def test_a_run_that_has_not_started_has_no_progress(tmp_path):
    assert read_progress(tmp_path) == [] and latest_progress(tmp_path) is None
    with pytest.raises(FileNotFoundError, match="no training run"):
        run_folder_in(tmp_path)


def test_a_finished_training_is_not_started_again(tmp_path):
    run = make_run(tmp_path)
    budget = {"arguments": ["--task", "no such task"], "max_minutes": 2.0}
    (tmp_path / FINISHED_FILE).write_text(json.dumps(budget))
    assert train_to_end(tmp_path, ["--task", "no such task"], max_minutes=2.0) == run


def test_a_training_that_used_its_minutes_up_is_not_started_again(tmp_path):
    """It was stopped between its last checkpoint and the note that it had finished."""
    run = make_run(tmp_path, total_time=130.0)
    assert train_to_end(tmp_path, ["--task", "no such task"], max_minutes=2.0) == run
    assert json.loads((tmp_path / FINISHED_FILE).read_text())["max_minutes"] == 2.0


def test_a_finished_training_with_other_settings_is_not_taken_for_this_one(tmp_path):
    make_run(tmp_path)
    (tmp_path / FINISHED_FILE).write_text(json.dumps({"arguments": ["--seed", "1"], "max_minutes": None}))
    with pytest.raises(ValueError, match=r"other settings: --seed 1.*Choose another folder"):
        train_to_end(tmp_path, ["--seed", 2])


@pytest.mark.parametrize("name", ["train.py", "evaluate.py"])
def test_the_scripts_are_where_they_are_looked_for(name):
    assert Path(script_command("rsl_rl", name)[1]).is_file()


def test_a_training_says_what_is_left_to_do(tmp_path):
    """A new one is started, a stopped one goes on with the minutes that are left, a finished one has no step."""
    training = Training(tmp_path, ("--task", "T"), max_minutes=2.0)
    new = next(training.steps("--device", "cpu"))
    assert new.words[2:] == ("--task", "T", "--device", "cpu", "--max_minutes", "2.0") and not new.append
    make_run(tmp_path, total_time=30.0)
    steps = training.steps("--device", "cpu")
    assert next(steps).words[-4:] == ("--max_minutes", "1.5", "--checkpoint", "latest")  # 2 min - 30 s
    assert next(steps, None) is None and training.is_finished
    assert list(training.steps("--device", "cpu")) == []
