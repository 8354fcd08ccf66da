"""Registry clips on this machine: each version once, found again by name without a network.

Below :func:`cache_dir`, ``<digest>/<collection>.npz`` is a clip and ``names/<project>/<collection>/<alias>`` holds the
digest that a version, or ``latest`` when it was last asked for, stands for.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from whole_body_tracking.files import replacing, write_atomically

LATEST = "latest"
_VERSION = re.compile(r"v\d+")


def cache_dir() -> Path:
    """Folder of downloaded clips: ``$WBT_CACHE_DIR`` or ``~/.cache/whole_body_tracking``."""
    return Path(os.environ.get("WBT_CACHE_DIR", Path.home() / ".cache" / "whole_body_tracking")) / "motions"


def split_name(registry_name: str) -> tuple[str, str]:
    """Name without alias, and alias; ``latest`` if there is none.

    Raises:
        ValueError: If it is not a registry name.
    """
    name, _, alias = registry_name.partition(":")
    parts = name.split("/")
    if len(parts) not in (2, 3) or any(part in ("", ".", "..") for part in parts) or "/" in alias:
        raise ValueError(
            f"'{registry_name}' does not name a motion of a registry."
            " Expected ORG/wandb-registry-motions/NAME, optionally with :v3."
        )
    return name, alias or LATEST


def is_fixed(alias: str) -> bool:
    """Whether an alias means the same clip for ever, as ``v3`` does."""
    return _VERSION.fullmatch(alias) is not None


def find(registry_name: str) -> Path | None:
    """The clip that a name stood for when it was last looked up, or None."""
    name, alias = split_name(registry_name)
    entry = _entry(name, alias)
    if not entry.is_file():
        return None
    path = clip_path(name, entry.read_text())
    return path if path.is_file() else None


def clip_path(name: str, digest: str) -> Path:
    """Folder of a version of a name without alias."""
    return cache_dir() / digest / f"{name.rsplit('/', 1)[-1]}.npz"


def keep(file: Path, name: str, digest: str) -> Path:
    """Copy a checked file into the cache, complete or not at all."""
    target = clip_path(name, digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as partial:
        shutil.copyfile(file, partial)
    return target


def remember(name: str, aliases: set[str], digest: str) -> None:
    """Note which clip these aliases of a name stand for."""
    for alias in aliases:
        entry = _entry(name, alias)
        entry.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(entry, digest)


def collections(project: str) -> list[str]:
    """Names of a registry that were downloaded before, sorted."""
    folder = cache_dir() / "names" / project
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _entry(name: str, alias: str) -> Path:
    return cache_dir() / "names" / name / alias
