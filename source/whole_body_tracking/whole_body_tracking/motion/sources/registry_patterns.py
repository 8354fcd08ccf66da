"""Patterns over the collections of a W&B registry."""

from __future__ import annotations

import fnmatch
import glob
import warnings

from . import registry_cache
from .registry import ARTIFACT_TYPE, LOCAL_HINT, require_online
from .wandb_client import TIMEOUT, wandb_client


def expand_registry_name(name: str) -> list[str]:
    """Registry names that a name or pattern stands for, sorted; a name without wildcards stands for itself.

    Where the server cannot be reached, a pattern stands for those that were downloaded before, with a warning.

    Args:
        name: Such as ``ORG/wandb-registry-motions/walk*``, optionally with ``:v3`` or ``:latest`` for all of them.

    Raises:
        OSError: If the registry cannot be reached and nothing was downloaded from it before.
        FileNotFoundError: If no collection matches; the message lists those that exist.
    """
    project, _, last = name.rpartition("/")
    pattern, colon, version = last.partition(":")
    if not glob.has_magic(pattern):
        return [name]
    known = _collections(project)
    matching = fnmatch.filter(known, pattern)
    if not matching:
        shown = ", ".join(known[:20]) or "none"
        raise FileNotFoundError(f"No motion of {project} matches '{pattern}'. Collections: {shown}. {LOCAL_HINT}")
    return [f"{project}/{match}{colon}{version}" for match in matching]


def _collections(project: str) -> list[str]:
    action = f"Listing the collections of {project}"
    try:
        require_online(action)
        with wandb_client(action, LOCAL_HINT) as wandb:
            found = wandb.Api(timeout=TIMEOUT).artifact_collections(project_name=project, type_name=ARTIFACT_TYPE)
            try:
                return sorted(collection.name for collection in found)
            except ValueError as error:  # what the client raises for a registry that does not exist
                raise FileNotFoundError(f"{action} failed: there is no such registry ({error}). {LOCAL_HINT}") from None
    except ConnectionError as error:
        known = registry_cache.collections(project)
        if not known:
            raise
        warnings.warn(f"Looking among the motions downloaded before: {error}", stacklevel=3)
        return known
