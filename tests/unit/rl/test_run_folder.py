"""Every run has a folder of its own, however many start at once."""

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from whole_body_tracking.rl.run.run_folder import choose_run_folder, removed_if_empty

pytestmark = pytest.mark.unit

ARGS = {"run_timestamp": None, "checkpoint": None}
AGENT = SimpleNamespace(run_name="a", experiment_name="walk")


def choose(folder: Path, **args) -> Path:
    return choose_run_folder(argparse.Namespace(**ARGS | args), AGENT, args.get("checkpoint"))


def test_runs_started_in_one_second_have_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: choose(tmp_path), range(8)))
    assert len(set(folders)) == 8 and all(folder.is_dir() for folder in folders)
    assert {folder.parent for folder in folders} == {tmp_path / "logs" / "rsl_rl" / "walk"}


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
