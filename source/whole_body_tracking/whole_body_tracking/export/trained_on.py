"""Clips that a checkpoint was trained on, read from its run folder."""

from __future__ import annotations

import json
from pathlib import Path

from .clip_reference import TrainedClip

PROVENANCE_FILE = "provenance.json"


def trained_clips(checkpoint: Path) -> tuple[TrainedClip, ...]:
    """Clips in the ``provenance.json`` beside a checkpoint; empty if there is no such file.

    Raises:
        ValueError: If the file does not list any clips.
    """
    path = checkpoint.parent / PROVENANCE_FILE
    if not path.is_file():
        return ()
    try:
        return tuple(TrainedClip(clip["name"], clip["sha256"]) for clip in json.loads(path.read_text())["clips"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} does not list the clips of the training as train.py writes them ({type(error).__name__}: {error})."
            " Restore the file, or move it away to export a policy that does not say what it was trained on."
        ) from None
