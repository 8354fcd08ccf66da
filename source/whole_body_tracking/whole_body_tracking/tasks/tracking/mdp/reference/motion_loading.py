"""Loading and checking of the clips that a config names.

A task is checked by the headers of its clips, before the simulator starts. The frames are read once, clip by clip, into
the library.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from whole_body_tracking.motion import MotionClip, MotionLibrary
from whole_body_tracking.motion.channels import declared_channels
from whole_body_tracking.motion.clip_header import ClipHeader
from whole_body_tracking.motion.compact_library import CompactMotionLibrary
from whole_body_tracking.motion.conversion.time_scaling import at_speed, header_at_speed
from whole_body_tracking.motion.library import MotionStorage, estimate_num_bytes
from whole_body_tracking.motion.sources.motion_entries import MotionEntry, resolve_entries
from whole_body_tracking.refine.channels import JOINT_TARGET
from whole_body_tracking.refine.missing_targets import with_joint_targets
from whole_body_tracking.robots import get_robot


@dataclass(frozen=True)
class NamedMotions:
    """The clips that a config names, at every speed; going through them reads each file once."""

    files: tuple[MotionEntry, ...]
    """One entry per file or frame range."""
    headers: tuple[ClipHeader, ...]
    """Header of each clip: all speeds of the first file come first."""
    speeds: tuple[float, ...]
    """How many times faster each copy is."""
    robot_name: str
    """Name of the robot's facts."""
    with_targets: bool = False
    """Whether clips without the channel ``joint_target`` get it by inverse dynamics."""

    @property
    def entries(self) -> list[MotionEntry]:
        """Manifest entries of the clips, in the order of :attr:`headers`."""
        return [entry for entry in self.files for _ in self.speeds]

    def __iter__(self) -> Iterator[MotionClip]:
        """Read the clips, one file at a time."""
        for entry in self.files:
            clip = entry.load()
            copies = (at_speed(clip, speed, self.robot_name) for speed in self.speeds)
            yield from with_joint_targets(copies, get_robot(self.robot_name)) if self.with_targets else copies


def load_clips(motion_files: Sequence[str], control_rate: float, split: str | None = None) -> list[MotionClip]:
    """Load the clips that a config names and check that each was made for this control rate.

    Args:
        motion_files: Files, folders, globs, manifests or registry names.
        control_rate: Steps of the environment per second [Hz].
        split: Split of the manifests to load; None loads all.

    Raises:
        FileNotFoundError: If a name does not match any file.
        ValueError: If a file is not a clip or has another rate, or a manifest is wrong.
    """
    load_headers(motion_files, control_rate, split)
    return [entry.load() for entry in load_entries(motion_files, split)]


def load_headers(motion_files: Sequence[str], control_rate: float, split: str | None = None) -> list[ClipHeader]:
    """Headers of the clips that a config names, checked like those of :func:`load_clips`, without reading frames.

    Raises:
        FileNotFoundError: If a name does not match any file.
        ValueError: If a file is not a clip or has another rate, or a manifest is wrong.
    """
    headers = [entry.header() for entry in load_entries(motion_files, split)]
    for header in headers:
        header.require_fps(control_rate)
    return headers


def load_motions(
    motion_files: Sequence[str],
    control_rate: float,
    split: str | None,
    speeds: Sequence[float],
    robot_name: str,
    with_targets: bool = False,
) -> NamedMotions:
    """The clips that a config names at every speed; their frames are read when they are gone through.

    Args:
        motion_files: Files, folders, globs, manifests or registry names.
        control_rate: Steps of the environment per second [Hz].
        split: Split of the manifests to load; None loads all.
        speeds: How many times faster each copy is.
        robot_name: Name of the robot's facts.
        with_targets: Whether clips without the channel ``joint_target`` get it by inverse dynamics.

    Raises:
        FileNotFoundError: If a name does not match any file.
        ValueError: If a file is not a clip or has another rate, a manifest is wrong, or a speed is not positive.
    """
    headers = load_headers(motion_files, control_rate, split)
    copies = [header_at_speed(header, speed) for header in headers for speed in speeds]
    if with_targets:
        copies = [_with_target_declared(header) for header in copies]
    entries = load_entries(motion_files, split)
    return NamedMotions(tuple(entries), tuple(copies), tuple(speeds), robot_name, with_targets)


def _with_target_declared(header: ClipHeader) -> ClipHeader:
    declared = {JOINT_TARGET: declared_channels()[JOINT_TARGET]}
    return replace(header, channel_declarations=declared | header.channel_declarations)


def check_joint_targets(
    headers: Sequence[ClipHeader], motion_files: Sequence[str], split: str | None, robot_name: str
) -> None:
    """Compute the joint targets of clips that carry none, which a library then finds computed.

    Args:
        headers: Headers of the clips.
        motion_files: What :func:`load_headers` got.
        split: The same.
        robot_name: Name of the robot's facts.

    Raises:
        ValueError: If a clip does not fit the physics rate or is below the ground.
    """
    for header, entry in zip(headers, load_entries(motion_files, split), strict=True):
        if JOINT_TARGET not in header.channel_declarations:
            with_joint_targets([entry.load()], get_robot(robot_name))


def load_entries(motion_files: Sequence[str], split: str | None = None) -> list[MotionEntry]:
    """Entries of the clips that a config names, in the order of :func:`load_clips`.

    Raises:
        FileNotFoundError: If a name does not match any file.
        ValueError: If there is none, or a manifest is wrong.
    """
    if not motion_files:
        raise ValueError(
            "The task has no motion to track. Pass --motion_file PATH or --registry_name NAME, or set"
            " `commands.motion.motion_files`."
        )
    return resolve_entries(list(motion_files), split)


def make_library(
    motions: NamedMotions,
    storage: MotionStorage,
    joint_names: Sequence[str],
    body_names: Sequence[str],
    device: str,
    channels: Sequence[str] = (),
) -> MotionLibrary:
    """Put clips on a device; prints how much memory their states take before it is allocated.

    Raises:
        ValueError: If rates differ, a clip lacks a joint or body or holds values that are not finite, or no clip
            carries a channel.
    """
    headers = motions.headers
    num_frames, fps = sum(header.num_frames for header in headers), headers[0].fps
    num_bytes = estimate_num_bytes(num_frames / fps, fps, len(joint_names), len(body_names), storage)
    print(
        f"[INFO] Motion library: {len(headers)} clips, {sum(header.duration for header in headers):.0f} s,"
        f" {num_bytes / 1e6:.1f} MB on {device} ({storage})."
    )
    names = {"joint_names": joint_names, "body_names": body_names, "device": device, "channels": channels}
    if storage == "full":
        return MotionLibrary.from_clips(motions, **names, headers=headers)
    return CompactMotionLibrary.from_clips(motions, **names, headers=headers, robot=get_robot(motions.robot_name))


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
