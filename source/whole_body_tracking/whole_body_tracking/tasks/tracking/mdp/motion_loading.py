"""From the names in a config to checked clips."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.sources import resolve_motion_files


def load_clips(motion_files: Sequence[str], control_rate: float) -> list[MotionClip]:
    """Load the clips that a config names and check that each was made for this control rate.

    Args:
        motion_files: Files, folders or globs.
        control_rate: Steps of the environment a second [Hz].

    Raises:
        FileNotFoundError: If a name matches no file.
        ValueError: If a file is no clip or has another rate.
    """
    if not motion_files:
        raise ValueError(
            "The task has no motion to track. Pass --motion_file PATH or --registry_name NAME, or set"
            " `commands.motion.motion_files`."
        )
    clips = [_load(path, path.stat().st_mtime_ns) for path in resolve_motion_files(list(motion_files))]
    for clip in clips:
        clip.require_fps(control_rate)
    return clips


@lru_cache(maxsize=64)
def _load(path: Path, _modified_ns: int) -> MotionClip:
    return MotionClip.load(path)
