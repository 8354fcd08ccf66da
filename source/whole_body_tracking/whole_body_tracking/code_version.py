"""Version of the running code."""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache
from pathlib import Path

COMMIT_VARIABLE = "WBT_COMMIT"
"""Environment variable that tells code without its repository, such as a container's, which commit it is."""


@lru_cache(maxsize=1)
def code_commit() -> str | None:
    """Commit of the checkout that holds this code, with ``-dirty`` if tracked files differ.

    Outside a checkout and without git, also for a package that is merely installed below someone's repository: what
    :data:`COMMIT_VARIABLE` says, or None.
    """
    here = Path(__file__)
    if _git(here.parent, "ls-files", "--error-unmatch", here.name) is None:
        return os.environ.get(COMMIT_VARIABLE) or None
    return _git(here.parent, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _git(folder: Path, *arguments: str) -> str | None:
    """Output of git, or None if it fails or is not installed."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
