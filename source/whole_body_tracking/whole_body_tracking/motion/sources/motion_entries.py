"""Motions as users name them, by file, folder, glob, manifest or registry name, turned into a list of entries."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from ..channels import report_dropped
from ..clip import MotionClip
from ..clip_check import ARRAYS
from ..clip_header import ClipHeader, load_header
from ..conversion.resample import angular_velocity, linear_velocity
from .manifest import MANIFEST_SUFFIXES, ManifestItem, read_manifest
from .paths import natural_key, resolve_motion_files

REGISTRY_PREFIX = "wandb-registry-"
"""Start of the middle part of a registry name, which tells it from a path."""


@dataclass(frozen=True)
class MotionEntry:
    """A clip file and what is known about it beyond its content."""

    path: Path
    """Local file; a registry clip is downloaded."""
    weight: float = 1.0
    """How often it is drawn with ``clip_sampling=weight``, relative to others."""
    tags: tuple[str, ...] = ()
    frame_range: tuple[int, int] | None = None
    """First and last frame to keep, 1-based, both included."""
    split: str | None = None
    """None belongs to every split."""
    difficulty: float | None = None
    """Place in a curriculum; None leaves it to the clip's content."""

    @property
    def name(self) -> str:
        """Name of the clip in tables: the file's, with the frame range if there is one."""
        return self.path.stem + ("" if self.frame_range is None else "_{}-{}".format(*self.frame_range))

    def load(self) -> MotionClip:
        """Read the clip and cut it to the frame range.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is not a clip or has fewer frames than the range asks for.
        """
        clip = MotionClip.load(self.path)
        return clip if self.frame_range is None else cut(clip, *self.frame_range, name=self.name)

    def header(self) -> ClipHeader:
        """Header of the clip: what :meth:`load` returns, without the frames.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is not a clip or has fewer frames than the range asks for.
        """
        header = load_header(self.path)
        return header if self.frame_range is None else _shortened(header, *self.frame_range, name=self.name)


def _shortened(header: ClipHeader, first: int, last: int, name: str) -> ClipHeader:
    _require_frames(header, first, last)
    return dataclasses.replace(header, num_frames=last - first + 1, name=name)


def cut(clip: MotionClip, first: int, last: int, name: str) -> MotionClip:
    """Part of a clip with its channels; velocities are one-sided at its own ends.

    Args:
        clip: The whole.
        first: First frame to keep, counted from 1.
        last: Last frame to keep.
        name: Name of the part.

    Raises:
        ValueError: If the clip has fewer frames.
    """
    _require_frames(clip, first, last)
    part = {key: torch.from_numpy(getattr(clip, key)[first - 1 : last]).double() for key in ARRAYS}
    part["joint_vel"] = linear_velocity(part["joint_pos"], clip.fps)
    part["body_lin_vel_w"] = linear_velocity(part["body_pos_w"], clip.fps)
    part["body_ang_vel_w"] = angular_velocity(part["body_quat_w"], clip.fps)
    report_dropped(clip.name, "unknown arrays", clip.extras.keys(), "it is cut")
    return dataclasses.replace(
        clip,
        **{key: value.numpy() for key, value in part.items()},
        name=name,
        channels={key: values[first - 1 : last] for key, values in clip.channels.items()},
        extras={},
    )


def _require_frames(clip: MotionClip | ClipHeader, first: int, last: int) -> None:
    if last > clip.num_frames:
        raise ValueError(f"{clip.name}: the frame range [{first}, {last}] exceeds its {clip.num_frames} frames.")


def is_registry_name(item: str) -> bool:
    """Whether an item is a registry name or pattern, such as ``ORG/wandb-registry-motions/walk:v3``."""
    parts = item.split("/")
    return len(parts) == 3 and parts[1].startswith(REGISTRY_PREFIX)


def resolve_entries(items: Sequence[str], split: str | None = None) -> list[MotionEntry]:
    """Entries that the items name, in their order, each file and range once.

    Args:
        items: Files, folders, globs, manifests or registry names.
        split: Keep entries of this split and those that belong to every one; None keeps all.

    Raises:
        FileNotFoundError: If an item matches nothing.
        OSError: If the registry cannot be reached or refuses.
        ValueError: If there is no item, nothing is left in the split, a manifest is wrong, or two clips have one name.
    """
    if not items:
        raise ValueError("No motion given. Pass files, folders, globs, a manifest or registry names.")
    found: dict[tuple, MotionEntry] = {}
    for item in items:
        for entry in _expand(str(item)):
            found.setdefault((entry.path.resolve(), entry.frame_range), entry)
    entries = [entry for entry in found.values() if split is None or entry.split in (None, split)]
    if not entries:
        known = sorted({entry.split for entry in found.values() if entry.split is not None})
        raise ValueError(f"No motion belongs to the split '{split}'. Splits: {', '.join(known)}.")
    _require_distinct_names(entries)
    return entries


def resolve_items(items: Sequence[str]) -> list[str]:
    """Absolute paths of the clip files and manifests that the items name; registry clips are downloaded.

    Raises:
        FileNotFoundError: If an item matches nothing.
        OSError: If the registry cannot be reached or refuses.
        ValueError: If a file is neither a clip nor a manifest.
    """
    found = []
    for item in map(str, items):
        paths = [Path(item).expanduser()] if _is_manifest(item) else _paths(item)
        found += [str(path.resolve()) for path in paths]
    return list(dict.fromkeys(found))


def _is_manifest(item: str) -> bool:
    return Path(item).suffix in MANIFEST_SUFFIXES


def _expand(item: str) -> Iterator[MotionEntry]:
    if _is_manifest(item):
        path = Path(item).expanduser()
        for part in read_manifest(path):
            yield from _expand_part(part, path.parent)
    else:
        yield from map(MotionEntry, _paths(item))


def _expand_part(part: ManifestItem, folder: Path) -> Iterator[MotionEntry]:
    item = part.registry or str(folder / Path(part.file).expanduser())
    for path in registry_paths(item) if part.registry else resolve_motion_files([item]):
        yield MotionEntry(path, part.weight, part.tags, part.frame_range, part.split, part.difficulty)


def _paths(item: str) -> list[Path]:
    return registry_paths(item) if is_registry_name(item) else resolve_motion_files([item])


@lru_cache
def registry_paths(name: str) -> list[Path]:
    """Local files of a registry name or pattern, downloaded if need be and looked up once per process.

    Raises:
        OSError: If the registry cannot be reached or has no such clip.
        ValueError: If an artifact does not hold a clip file.
    """
    from .registry import download_clips
    from .registry_patterns import expand_registry_name

    return sorted(download_clips(expand_registry_name(name)), key=lambda path: natural_key(Path(path.name)))


def _require_distinct_names(entries: list[MotionEntry]) -> None:
    seen: dict[str, Path] = {}
    for entry in entries:
        if entry.name in seen:
            raise ValueError(
                f"Two motions are called '{entry.name}': {seen[entry.name]} and {entry.path}. Rename one of the files:"
                " tables, checkpoints and the policy's motion id go by the name."
            )
        seen[entry.name] = entry.path
