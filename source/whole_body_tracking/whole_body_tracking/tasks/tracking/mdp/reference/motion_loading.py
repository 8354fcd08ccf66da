"""From the names in a config to checked clips."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from whole_body_tracking.motion import MotionClip, MotionLibrary
from whole_body_tracking.motion.compact_library import CompactMotionLibrary
from whole_body_tracking.motion.conversion.time_scaling import at_speeds
from whole_body_tracking.motion.library import MotionStorage, estimate_num_bytes
from whole_body_tracking.motion.sources.motion_entries import MotionEntry, resolve_entries
from whole_body_tracking.robots import get_robot


def load_clips(motion_files: Sequence[str], control_rate: float, split: str | None = None) -> list[MotionClip]:
    """Load the clips that a config names and check that each was made for this control rate.

    Args:
        motion_files: Files, folders, globs, manifests or registry names.
        control_rate: Steps of the environment per second [Hz].
        split: Split of the manifests to load; None loads all.

    Raises:
        FileNotFoundError: If a name matches no file.
        ValueError: If a file is not a clip or has another rate, or a manifest is wrong.
    """
    clips = [_load(entry, entry.path.stat().st_mtime_ns) for entry in load_entries(motion_files, split)]
    for clip in clips:
        clip.require_fps(control_rate)
    return clips


def load_motions(
    motion_files: Sequence[str], control_rate: float, split: str | None, speeds: Sequence[float], robot_name: str
) -> tuple[list[MotionClip], list[MotionEntry]]:
    """The clips that a config names at every speed, and what the manifest says of each, in the same order.

    Raises:
        FileNotFoundError: If a name matches no file.
        ValueError: If a file is not a clip or has another rate, a manifest is wrong, or a speed is not positive.
    """
    clips = at_speeds(load_clips(motion_files, control_rate, split), speeds, robot_name)
    return clips, [entry for entry in load_entries(motion_files, split) for _ in speeds]


def load_entries(motion_files: Sequence[str], split: str | None = None) -> list[MotionEntry]:
    """Entries of the clips that a config names, in the order of :func:`load_clips`.

    Raises:
        FileNotFoundError: If a name matches no file.
        ValueError: If there is none, or a manifest is wrong.
    """
    if not motion_files:
        raise ValueError(
            "The task has no motion to track. Pass --motion_file PATH or --registry_name NAME, or set"
            " `commands.motion.motion_files`."
        )
    return resolve_entries(list(motion_files), split)


def make_library(
    clips: Sequence[MotionClip],
    storage: MotionStorage,
    joint_names: Sequence[str],
    body_names: Sequence[str],
    device: str,
    robot_name: str,
    channels: Sequence[str] = (),
) -> MotionLibrary:
    """Put clips on a device; prints how much memory their states take before it is allocated.

    Raises:
        ValueError: If rates differ, a clip lacks a joint or body, or no clip carries a channel.
    """
    num_frames = sum(clip.num_frames for clip in clips)
    num_bytes = estimate_num_bytes(num_frames / clips[0].fps, clips[0].fps, len(joint_names), len(body_names), storage)
    print(
        f"[INFO] Motion library: {len(clips)} clips, {sum(clip.duration for clip in clips):.0f} s,"
        f" {num_bytes / 1e6:.1f} MB on {device} ({storage})."
    )
    names = {"joint_names": joint_names, "body_names": body_names, "device": device, "channels": channels}
    if storage == "full":
        return MotionLibrary.from_clips(clips, **names)
    return CompactMotionLibrary.from_clips(clips, **names, robot=get_robot(robot_name))


def require_preview_fits(preview_steps: Sequence[int], library: MotionLibrary) -> None:
    """Check that no clip is shorter than the preview.

    Raises:
        ValueError: If one is, or a step is not positive; the message names the clip.
    """
    if not preview_steps:
        return
    if min(preview_steps) < 1:
        raise ValueError(f"`preview_steps` is {list(preview_steps)}, expected steps of at least 1.")
    shortest = int(library.num_frames.argmin())
    if max(preview_steps) >= int(library.num_frames[shortest]):
        raise ValueError(
            f"The preview looks {max(preview_steps)} frames ahead, but {library.names[shortest]} has only"
            f" {int(library.num_frames[shortest])} frames. Shorten `preview_steps` or leave the clip out."
        )


@lru_cache(maxsize=64)
def _load(entry: MotionEntry, _modified_ns: int) -> MotionClip:
    return entry.load()
