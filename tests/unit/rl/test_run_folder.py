"""Every run has a folder of its own, however many start at once."""

import argparse
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from whole_body_tracking.rl.run.run_folder import choose_run_folder, removed_if_empty

pytestmark = pytest.mark.unit

ARGS = {"run_timestamp": None, "checkpoint": None}
AGENT = SimpleNamespace(run_name="a", experiment_name="walk")
START_AT_ONCE = """
import sys, time
from pathlib import Path
from whole_body_tracking.files import create_new_folder
time.sleep(max(0.0, float(sys.argv[2]) - time.time()))
print(create_new_folder(Path(sys.argv[1]), "run"))
"""


def choose(folder: Path, **args) -> Path:
    return choose_run_folder(argparse.Namespace(**ARGS | args), AGENT, args.get("checkpoint"))


def test_runs_started_in_one_second_have_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: choose(tmp_path), range(8)))
    assert len(set(folders)) == 8 and all(folder.is_dir() for folder in folders)
    assert {folder.parent for folder in folders} == {tmp_path / "logs" / "rsl_rl" / "walk"}


def test_processes_that_start_at_once_do_not_share_a_folder(tmp_path):
    begin = str(time.time() + 2.0)
    command = [sys.executable, "-c", START_AT_ONCE, str(tmp_path / "runs"), begin]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    names = [Path(process.communicate(timeout=60)[0].strip()).name for process in started]
    assert sorted(names) == ["run", "run_2", "run_3", "run_4"]


def test_a_run_that_a_user_names_goes_on_in_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = (choose(tmp_path, run_timestamp="2026-01-02_03-04-05") for _ in range(2))
    assert first == second and first.name == "2026-01-02_03-04-05_a"
    assert (
        choose_run_folder(argparse.Namespace(run_timestamp=None, checkpoint="latest"), AGENT, first / "m.pt") == first
    )


def test_a_run_that_fails_before_it_writes_leaves_no_folder(tmp_path):
    for name, content in (("empty", None), ("used", "progress.csv")):
        (tmp_path / name).mkdir()
        with pytest.raises(RuntimeError), removed_if_empty(tmp_path / name):
            if content:
                (tmp_path / name / content).touch()
            raise RuntimeError("no licence")
    assert [path.name for path in tmp_path.iterdir()] == ["used"]
