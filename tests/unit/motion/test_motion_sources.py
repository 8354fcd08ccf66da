"""Clip files from paths, folders and globs."""

from pathlib import Path

import pytest

from whole_body_tracking.motion import resolve_motion_files

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path):
    for name in ("walk10.npz", "walk2.npz", "dance.npz", "notes.txt", "sub/jump.npz"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_folder_is_sorted_naturally_and_not_searched_deeper(folder):
    assert names(resolve_motion_files([str(folder)])) == ["dance.npz", "walk2.npz", "walk10.npz"]


def test_glob_takes_clips_only(folder):
    assert names(resolve_motion_files([f"{folder}/*"])) == ["dance.npz", "walk2.npz", "walk10.npz"]
    assert names(resolve_motion_files([f"{folder}/**/*.npz"])) == ["dance.npz", "jump.npz", "walk2.npz", "walk10.npz"]


def test_each_file_once_in_the_order_given(folder):
    items = [str(folder / "walk2.npz"), str(folder), str(folder / "sub" / ".." / "walk2.npz")]
    assert names(resolve_motion_files(items)) == ["walk2.npz", "dance.npz", "walk10.npz"]


def test_home_folder_is_expanded(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    assert names(resolve_motion_files(["~/dance.npz"])) == ["dance.npz"]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("run.npz", r"run\.npz does not exist. Make clips from CSV files with scripts/csv_to_npz.py"),
        ("run*.npz", r"No \*\.npz file matches '.*run\*\.npz'"),
        ("empty", r"The folder .*empty contains no \*\.npz file"),
    ],
)
def test_what_matches_nothing_is_refused(folder, item, message):
    (folder / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=message):
        resolve_motion_files([str(folder / item)])


def test_csv_is_not_taken_for_a_clip(folder):
    (folder / "walk.csv").touch()
    with pytest.raises(ValueError, match=r"walk\.csv is not a \.npz file. Make clips"):
        resolve_motion_files([str(folder / "walk.csv")])


def test_no_item():
    with pytest.raises(ValueError, match="No motion given"):
        resolve_motion_files([])
