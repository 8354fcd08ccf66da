"""Clips in the Weights & Biases registry. The client is imported only when it is used."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

from ..clip import MotionClip
from ..npz import read_arrays
from . import registry_cache
from .wandb_client import TIMEOUT, wandb_client

ARTIFACT_TYPE = "motions"
FILE_NAME = "motion.npz"
"""Name of the clip inside its artifact, as BeyondMimic names it."""
LOCAL_HINT = "To use a local file instead, pass --motion_file PATH."


def upload_clip(path: str | Path, entity: str | None, project: str, name: str) -> str:
    """Upload a clip and link it into a registry.

    Args:
        path: The clip, which is checked before anything is sent.
        entity: Organization or team, None for the account's own.
        project: Registry, such as ``wandb-registry-motions``.
        name: Name of the collection in the registry.

    Returns:
        The registry name to pass as ``--registry_name``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not a clip.
        OSError: If the registry cannot be reached or refuses.
    """
    path = Path(path)
    MotionClip.load(path)
    mode = os.environ.get("WANDB_MODE", "online")
    if mode not in ("online", "shared"):
        raise OSError(f"Uploading {path.name} needs the network, but WANDB_MODE is '{mode}'. The clip stays at {path}.")
    with wandb_client(f"Uploading {path.name}", f"The clip stays at {path}.") as wandb:
        target = f"{f'{entity}/' if entity else ''}{project}/{name}"
        with wandb.init(project="csv_to_npz", entity=None, name=name, job_type="upload") as run:
            artifact = wandb.Artifact(name=name, type=ARTIFACT_TYPE)
            artifact.add_file(str(path), name=FILE_NAME)
            logged = run.log_artifact(artifact)
            try:
                logged.wait()
            except ValueError as error:  # what the client raises when the server refuses
                raise wandb.Error(str(error)) from None
            linked = run.link_artifact(artifact=logged, target_path=target)
            return linked.qualified_name.partition(":")[0]


def download_clip(registry_name: str) -> Path:
    """Local path of a registry clip, downloaded once per version and checked.

    A version such as ``:v3`` that was downloaded before needs no network. ``latest`` is asked for each time; where the
    server cannot be reached or WANDB_MODE is offline, it is what it was the last time, with a warning.

    Args:
        registry_name: Such as ``ORG/wandb-registry-motions/walk``, optionally with ``:v3``; the latest otherwise.

    Raises:
        OSError: If the registry cannot be reached or has no such clip, or the download is damaged.
        ValueError: If the artifact does not hold a clip file.
    """
    name, alias = registry_cache.split_name(registry_name)
    cached = registry_cache.find(registry_name)
    if cached is not None and registry_cache.is_fixed(alias):
        return cached
    try:
        require_online(f"Downloading {name}:{alias}")
        return _download(name, alias)
    except ConnectionError as error:
        if cached is None:
            raise
        warnings.warn(f"Using {name} as it was when last downloaded: {error}", stacklevel=2)
        return cached


def download_clips(registry_names: Sequence[str]) -> list[Path]:
    """Local paths of several registry clips; see :func:`download_clip`."""
    if len(registry_names) < 2:
        return list(map(download_clip, registry_names))
    with wandb_client(f"Downloading {len(registry_names)} motions", LOCAL_HINT):  # started once, not for each
        return list(map(download_clip, registry_names))


def require_online(action: str) -> None:
    """Check that the client may use the network.

    Raises:
        ConnectionError: If WANDB_MODE says no; the client itself ignores that when it downloads.
    """
    mode = os.environ.get("WANDB_MODE", "online")
    if mode in ("offline", "disabled", "dryrun"):
        raise ConnectionError(f"{action} needs the network, but WANDB_MODE is '{mode}'. {LOCAL_HINT}")


def _download(name: str, alias: str) -> Path:
    with wandb_client(f"Downloading {name}:{alias}", LOCAL_HINT) as wandb:
        artifact = wandb.Api(timeout=TIMEOUT).artifact(f"{name}:{alias}")
        path = registry_cache.clip_path(name, artifact.digest)
        if not path.is_file():
            path = _fetch(artifact, name)
        registry_cache.remember(name, {alias, artifact.version}, artifact.digest)
        return path


def _fetch(artifact, name: str) -> Path:
    with tempfile.TemporaryDirectory() as folder:
        artifact.download(root=folder, skip_cache=True)
        try:
            artifact.verify(folder)  # downloading does not
        except ValueError as error:
            raise OSError(f"The download of {name} is damaged ({error}). Try again. {LOCAL_HINT}") from None
        files = sorted(Path(folder).rglob("*.npz"))
        if len(files) != 1:
            raise ValueError(f"{name}:{artifact.version} holds {len(files)} .npz files, expected one. {LOCAL_HINT}")
        read_arrays(files[0])
        return registry_cache.keep(files[0], name, artifact.digest)
