"""Files that are there completely or not at all: written beside the target under a name of their own, then renamed."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PARTIAL_ENDING = ".tmp"
"""What the name of an unfinished file ends with, or contains before the ending that its writer insists on."""


@contextmanager
def replacing(path: Path, ending: str = "", sync: bool = False) -> Iterator[Path]:
    """Give the name to write to; rename it to ``path`` when the block ends well, remove it when it does not.

    Two writers of one file, in one process or in several, never share a name: the last to finish wins.

    Args:
        path: File to replace. Its folder exists.
        ending: Ending that the writer needs, such as ``.mp4`` for a video encoder.
        sync: Wait until the content is on the disk before the renaming, so that a power cut loses nothing.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{PARTIAL_ENDING}{ending}")
    try:
        yield partial
        if sync:
            with partial.open("rb") as file:
                os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write bytes, or text as UTF-8."""
    with replacing(path) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


def write_json(path: Path, content: dict | list) -> None:
    """Write JSON, indented by two."""
    write_atomically(path, json.dumps(content, indent=2) + "\n")


def write_table(path: Path, rows: list[dict]) -> None:
    """Write rows as CSV with a header; what a row lacks stays empty."""
    names = dict.fromkeys(name for row in rows for name in row)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(names))
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, text.getvalue())


def create_new_folder(parent: Path, name: str) -> Path:
    """Create a folder that nobody else has: ``name``, or where that is taken ``name_2``, ``name_3`` and so on."""
    parent.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        folder = parent / (name if number == 1 else f"{name}_{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder


def remove_partial_files(folder: Path) -> None:
    """Remove what a kill in the middle of a write left anywhere below ``folder``, where nobody else may be writing."""
    for partial in folder.rglob(f".*{PARTIAL_ENDING}*"):
        partial.unlink(missing_ok=True)
