"""Clips beside a policy of several clips: one file each, whose name contains the digest of its content."""

from __future__ import annotations

import dataclasses
import errno
import os
from collections.abc import Sequence
from pathlib import Path

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.sources.motion_entries import MotionEntry

from .clip_reference import ClipReference
from .spec import PolicySpec

CANNOT_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP)
"""Errors of a file system that cannot link a file: it is copied instead."""


def write_clips(folder: Path, spec: PolicySpec, entries: Sequence[MotionEntry]) -> None:
    """Write the clips of a policy beside it; files that exist are kept, since their names contain the digest.

    A clip that is a whole file is hard-linked where possible, so that a large library does not take twice the space.

    Args:
        folder: Folder of the policy's file.
        spec: Of the policy; nothing is done if it does not name a folder for clips.
        entries: Where the clips come from, in the order of ``spec.clips``.

    Raises:
        FileNotFoundError: If a clip's file is gone.
        ValueError: If the content of a clip has changed since it was loaded.
    """
    if not spec.clips_folder:
        return
    target = folder / spec.clips_folder
    target.mkdir(exist_ok=True)
    for reference, entry in zip(spec.clips, entries, strict=True):
        if not (target / reference.file_name).exists():
            _write(target / reference.file_name, reference, entry)


def read_clip(folder: Path, spec: PolicySpec, name: str) -> MotionClip:
    """Read a clip of a policy and compare its digest with the one in the spec.

    Args:
        folder: Folder of the policy's file.
        spec: Of the policy.
        name: Of the clip.

    Raises:
        FileNotFoundError: If its file is gone.
        ValueError: If the policy has no such clip or was exported without clips, or the file holds another one.
    """
    reference = spec.clips[spec.clip_index(name)]
    if not spec.clips_folder:
        raise ValueError(
            f"The policy was exported without the files of its clips. Load '{name}' (SHA-256 {reference.sha256[:12]})"
            " from elsewhere, or export again with play.py --export DIR, without --no_clips."
        )
    path = folder / spec.clips_folder / reference.file_name
    _require_file(path, reference)
    clip = MotionClip.load(path)
    _require_content(clip, path, reference)
    return dataclasses.replace(clip, name=name)


def require_clips(folder: Path, spec: PolicySpec) -> None:
    """Check that the file of every clip exists; its content is checked when it is read.

    Raises:
        FileNotFoundError: If one is gone; the message names it.
    """
    if spec.clips_folder:
        for reference in spec.clips:
            _require_file(folder / spec.clips_folder / reference.file_name, reference)


def _write(path: Path, reference: ClipReference, entry: MotionEntry) -> None:
    clip = entry.load()
    _require_content(clip, entry.path, reference)
    if entry.frame_range is None:
        try:
            return os.link(entry.path.resolve(), path)
        except FileExistsError:
            return None  # a process that exports the same run was faster
        except OSError as error:
            if error.errno not in CANNOT_LINK:
                raise
    clip.save(path)


def _require_file(path: Path, reference: ClipReference) -> None:
    if not path.is_file():
        raise FileNotFoundError(
            f"The policy's clip '{reference.name}' is missing: {path} does not exist. Copy the folder"
            f" {path.parent.name}/ together with the policy, or export it again with play.py --export DIR."
        )


def _require_content(clip: MotionClip, path: Path, reference: ClipReference) -> None:
    if clip.digest != reference.sha256:
        raise ValueError(
            f"{path} is not the clip '{reference.name}' that the policy was exported with: its SHA-256 begins with"
            f" {clip.digest[:12]}, expected {reference.sha256[:12]}. Restore the file, or export the"
            " policy again with play.py --export DIR and the clip that it should track."
        )
