"""Files that replace their earlier versions together: a reader finds all of the old ones or all of the new ones.

They are written into a hidden folder first, which is renamed once it is complete. From then on the replacement counts:
if it is interrupted while the files move to their places, the next call finishes it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

STAGED = ".staged-"
"""Start of the name of a folder with files that are not complete; the number of the writing process follows."""
READY = ".ready"
"""Folder with files that are complete."""
LIST = ".files.json"
"""In both folders: the names of all files of the new set."""


def replace_set(folder: Path, names: Collection[str], write: Callable[[Path], None]) -> None:
    """Replace a set of files.

    Args:
        folder: Where they are; created if need be. Files with other names stay.
        names: Names that the set can have; those that ``write`` does not write are removed.
        write: Writes the files into the folder that it is given. If it raises, nothing has changed.

    Raises:
        ValueError: If it writes a file with another name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    finish_set(folder, names)
    staged = folder / f"{STAGED}{os.getpid()}"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir()
    try:
        write(staged)
        written = sorted(path.name for path in staged.iterdir())
        unknown = [name for name in written if name not in names]
        if unknown:
            raise ValueError(f"{unknown} do not belong to the set. Its names are {sorted(names)}.")
        (staged / LIST).write_text(json.dumps(written))
        os.rename(staged, folder / READY)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    finish_set(folder, names)


def finish_set(folder: Path, names: Collection[str]) -> None:
    """Finish a replacement that was interrupted, or undo it if not all files had been written."""
    for staged in folder.glob(f"{STAGED}*"):
        if not _is_running(int(staged.name.removeprefix(STAGED))):
            shutil.rmtree(staged)
    ready = folder / READY
    if not ready.is_dir():
        return
    written = json.loads((ready / LIST).read_text())
    for name in names:
        if name not in written:
            (folder / name).unlink(missing_ok=True)
        elif (ready / name).exists():
            os.replace(ready / name, folder / name)
    shutil.rmtree(ready)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()
