"""Checks of where pages and videos are written."""

from __future__ import annotations

from pathlib import Path


def check_target(path: str | Path) -> Path:
    """Check that a file can be written there, before the work that it shows.

    Raises:
        FileNotFoundError: If the folder does not exist.
        IsADirectoryError: If the path is a folder.
    """
    path = Path(path)
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"Cannot write {path}: the folder {path.absolute().parent} does not exist.")
    if path.is_dir():
        raise IsADirectoryError(f"Cannot write {path}: it is a folder. Name a file in it.")
    return path
