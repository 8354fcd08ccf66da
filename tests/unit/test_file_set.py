"""A set of files is replaced as a whole: whatever fails or is killed, no mix of two sets stays."""

import os
import subprocess
import sys

import pytest

from whole_body_tracking import file_set
from whole_body_tracking.file_set import finish_set, replace_set

pytestmark = pytest.mark.unit

NAMES = ("policy.onnx", "policy.json", "deploy.yaml")


def write(content: str, names=NAMES):
    return lambda folder: [(folder / name).write_text(content) for name in names]


def contents(folder) -> dict[str, str]:
    """Text of every file; fails if a folder is left."""
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path):
    """A complete set, and a file of somebody else."""
    replace_set(tmp_path, NAMES, write("old"))
    (tmp_path / "notes.txt").write_text("mine")
    return tmp_path


def test_a_file_that_the_new_set_lacks_is_removed_and_others_stay(folder):
    replace_set(folder, NAMES, write("new", NAMES[:2]))
    assert contents(folder) == {"policy.onnx": "new", "policy.json": "new", "notes.txt": "mine"}


def test_an_error_leaves_the_old_set(folder):
    def fail(staged):
        write("new", NAMES[:2])(staged)
        raise ValueError("parity")

    with pytest.raises(ValueError, match="parity"):
        replace_set(folder, NAMES, fail)
    assert contents(folder) == dict.fromkeys(NAMES, "old") | {"notes.txt": "mine"}


def test_a_name_outside_the_set_is_refused(folder):
    with pytest.raises(ValueError, match=r"\['policy.pt'\] do not belong.*deploy.yaml"):
        replace_set(folder, NAMES, write("new", ("policy.onnx", "policy.pt")))
    assert contents(folder)["policy.onnx"] == "old"


@pytest.mark.parametrize("num_moved", [0, 1])
def test_a_replacement_that_was_killed_while_moving_is_finished(folder, monkeypatch, num_moved):
    moves, real = [], os.replace

    def killed(source, target):
        if len(moves) == num_moved:
            raise KeyboardInterrupt
        moves.append(target)
        real(source, target)

    monkeypatch.setattr(file_set.os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        replace_set(folder, NAMES, write("new", NAMES[:2]))
    monkeypatch.undo()
    finish_set(folder, NAMES)
    assert contents(folder) == dict.fromkeys(NAMES[:2], "new") | {"notes.txt": "mine"}


def test_a_process_that_was_killed_while_writing_leaves_the_old_set(folder):
    program = (
        "import os, sys; from pathlib import Path; from whole_body_tracking.file_set import replace_set\n"
        f"replace_set(Path({str(folder)!r}), {NAMES!r}, lambda f: ((f / 'policy.onnx').write_text('new'), os._exit(9)))"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 9
    assert all((folder / name).read_text() == "old" for name in NAMES)
    finish_set(folder, NAMES)
    assert contents(folder) == dict.fromkeys(NAMES, "old") | {"notes.txt": "mine"}
