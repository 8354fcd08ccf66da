"""Patterns over the collections of a W&B registry."""

from __future__ import annotations

import fnmatch
import glob

from .registry import ARTIFACT_TYPE, LOCAL_HINT, TIMEOUT, _client


def expand_registry_name(name: str) -> list[str]:
    """Registry names that a name or pattern stands for, sorted; a name without wildcards stands for itself.

    Args:
        name: Such as ``ORG/wandb-registry-motions/walk*``, optionally with ``:v3`` or ``:latest`` for all of them.

    Raises:
        OSError: If the registry cannot be reached.
        FileNotFoundError: If no collection matches; the message lists those that exist.
    """
    project, _, last = name.rpartition("/")
    pattern, colon, version = last.partition(":")
    if not glob.has_magic(pattern):
        return [name]
    with _client(f"Listing the collections of {project}", LOCAL_HINT) as wandb:
        collections = wandb.Api(timeout=TIMEOUT).artifact_collections(project_name=project, type_name=ARTIFACT_TYPE)
        known = sorted(collection.name for collection in collections)
    matching = fnmatch.filter(known, pattern)
    if not matching:
        shown = ", ".join(known[:20]) or "none"
        raise FileNotFoundError(f"No motion of {project} matches '{pattern}'. Collections: {shown}. {LOCAL_HINT}")
    return [f"{project}/{match}{colon}{version}" for match in matching]
