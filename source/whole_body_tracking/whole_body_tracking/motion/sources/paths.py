"""Clip files that a user's paths, folders and globs name."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from pathlib import Path


def resolve_motion_files(items: Sequence[str], suffix: str = ".npz") -> list[Path]:
    """Files that the items name: a file, a folder (all clips directly in it) or a glob.

    Sorted naturally within an item (walk2 before walk10), items in their order, each file once.

    Raises:
        FileNotFoundError: If an item matches nothing.
        ValueError: If a file has another suffix, or there is no item.
    """
    if not items:
        raise ValueError("No motion given. Pass files, folders or globs.")
    found: dict[Path, Path] = {}
    for item in items:
        for path in _expand(str(item), suffix):
            found.setdefault(path.resolve(), path)
    return list(found.values())


def natural_key(path: Path) -> list[tuple[int, int | str]]:
    """Sort key in which numbers inside names count as numbers."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", str(path)) if part]


def _expand(item: str, suffix: str) -> list[Path]:
    path = Path(item).expanduser()
    if path.is_file():
        _require_suffix(path, suffix)
        return [path]
    if path.is_dir():
        files = [file for file in path.glob(f"*{suffix}") if file.is_file()]
        if not files:
            raise FileNotFoundError(f"The folder {item} contains no *{suffix} file. {_hint(suffix)}")
    else:
        files = [Path(match) for match in glob.glob(str(path), recursive=True)]
        files = [file for file in files if file.is_file() and file.suffix == suffix]
        if not files:
            what = f"No *{suffix} file matches '{item}'." if glob.has_magic(item) else f"{item} does not exist."
            raise FileNotFoundError(f"{what} {_hint(suffix)}")
    return sorted(files, key=natural_key)


def _require_suffix(path: Path, suffix: str) -> None:
    if path.suffix != suffix:
        raise ValueError(f"{path} is not a {suffix} file. {_hint(suffix)}")


def _hint(suffix: str) -> str:
    return "Make clips from CSV files with scripts/csv_to_npz.py." if suffix == ".npz" else ""
