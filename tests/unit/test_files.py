"""Atomic writes: a file is there completely or not at all, and two writers never share a temporary name."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from whole_body_tracking.files import remove_partial_files, replacing, write_atomically, write_json, write_table

pytestmark = pytest.mark.unit


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path: Path):
    path = tmp_path / "report.json"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError, match="full"), replacing(path) as partial:
        partial.write_text("half")
        raise RuntimeError("the disk is full")
    assert path.read_text() == '{\n  "a": 1\n}\n'
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


def test_a_failed_rename_keeps_the_old_file(tmp_path: Path, monkeypatch):
    path = tmp_path / "clip.bin"
    write_atomically(path, b"old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("read-only")))
    with pytest.raises(OSError, match="read-only"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_many_writers_in_one_process_leave_one_complete_file(tmp_path: Path):
    path = tmp_path / "shared.txt"
    texts = [str(number) * 200_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_atomically(path, text), texts * 4))
    assert path.read_text() in texts and len(list(tmp_path.iterdir())) == 1


def test_two_open_writers_have_two_names(tmp_path: Path):
    with replacing(tmp_path / "video", ".mp4") as first, replacing(tmp_path / "video", ".mp4") as second:
        assert first != second and first.suffix == second.suffix == ".mp4"
        first.write_text("first")
        second.write_text("second")
    assert (tmp_path / "video").read_text() == "first"  # closed last


def test_a_table_has_every_column_of_any_row(tmp_path: Path):
    write_table(tmp_path / "t.csv", [{"clip": "walk", "a": 1}, {"clip": "squat", "b": 2}])
    assert (tmp_path / "t.csv").read_text().split() == ["clip,a,b", "walk,1,", "squat,,2"]


def test_remains_of_a_kill_are_removed_and_nothing_else(tmp_path: Path):
    for name in (".model_9.pt.1-ab.tmp", ".video.1-ab.tmp.mp4", "model_9.pt", ".hidden", "notes.tmp"):
        (tmp_path / name).write_text("x")
    remove_partial_files(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [".hidden", "model_9.pt", "notes.tmp"]
