"""Clips in the Weights & Biases registry. The client is imported only when it is used."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .clip import MotionClip
from .npz import read_arrays

ARTIFACT_TYPE = "motions"
FILE_NAME = "motion.npz"
"""Name of the clip inside its artifact, as BeyondMimic names it."""
TIMEOUT = 20
"""How long one request to the server may take [s]."""
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
        ValueError: If the file is no clip.
        OSError: If the registry cannot be reached or refuses.
    """
    path = Path(path)
    MotionClip.load(path)
    mode = os.environ.get("WANDB_MODE", "online")
    if mode not in ("online", "shared"):
        raise OSError(f"Uploading {path.name} needs the network, but WANDB_MODE is '{mode}'. The clip stays at {path}.")
    with _client(f"Uploading {path.name}", f"The clip stays at {path}.") as wandb:
        target = f"{f'{entity}/' if entity else ''}{project}/{name}"
        with wandb.init(project="csv_to_npz", entity=None, name=name, job_type="upload") as run:
            artifact = wandb.Artifact(name=name, type=ARTIFACT_TYPE)
            artifact.add_file(str(path), name=FILE_NAME)
            logged = run.log_artifact(artifact)
            logged.wait()
            run.link_artifact(artifact=logged, target_path=target)
    return target


def download_clip(registry_name: str) -> Path:
    """Local path of a registry clip, downloaded once per version.

    Args:
        registry_name: Such as ``ORG/wandb-registry-motions/walk``, optionally with ``:v3``; the latest otherwise.

    Raises:
        OSError: If the registry cannot be reached or has no such clip.
        ValueError: If the artifact holds no clip file.
    """
    full_name = registry_name if ":" in registry_name.rsplit("/", 1)[-1] else f"{registry_name}:latest"
    with _client(f"Downloading {full_name}", LOCAL_HINT) as wandb:
        artifact = wandb.Api(timeout=TIMEOUT).artifact(full_name)
        collection = full_name.rsplit("/", 1)[-1].split(":")[0]
        target = cache_dir() / artifact.digest / f"{collection}.npz"
        if not target.is_file():
            with tempfile.TemporaryDirectory() as folder:
                files = sorted(Path(artifact.download(root=folder)).rglob("*.npz"))
                if len(files) != 1:
                    raise ValueError(f"{full_name} holds {len(files)} .npz files, expected one. {LOCAL_HINT}")
                read_arrays(files[0])  # the client does not check what it received
                _move_into_place(files[0], target)
    return target


def cache_dir() -> Path:
    """Where downloaded clips are kept: ``$WBT_CACHE_DIR`` or ``~/.cache/whole_body_tracking``."""
    return Path(os.environ.get("WBT_CACHE_DIR", Path.home() / ".cache" / "whole_body_tracking")) / "motions"


def _move_into_place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.tmp")
    shutil.copyfile(source, partial)
    os.replace(partial, target)


@contextmanager
def _client(action: str, hint: str) -> Iterator:
    """The wandb module; its errors come out as OSError that say what was tried and what to do instead."""
    # Without these limits an unreachable server takes the client 20 to 100 s and a message about credentials.
    os.environ.setdefault("WANDB_X_GRAPHQL_RETRY_MAX", "1")
    os.environ.setdefault("WANDB_INIT_TIMEOUT", str(TIMEOUT))
    import requests
    import wandb

    try:
        yield wandb
    except (wandb.Error, requests.RequestException, TimeoutError) as error:
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        if "API key" in reason or "credentials" in reason:
            reason += " (no valid key, or no network: set WANDB_API_KEY or run `wandb login`)"
        raise OSError(f"{action} failed: {reason}. {hint}") from None
