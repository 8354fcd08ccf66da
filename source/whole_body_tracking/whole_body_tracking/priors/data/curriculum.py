"""Which clips an epoch trains on, by their tags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from whole_body_tracking.motion.sources.motion_entries import MotionEntry

from .splits import activity_of


@dataclass(frozen=True)
class TagRange:
    """Epochs in which clips with a tag take part, counted from 1, both ends included."""

    tag: str
    first: int
    last: int | None
    """None: until the end."""


def read_curriculum(items: Sequence[str]) -> list[TagRange]:
    """Read items such as ``walk=1-10`` or ``run=5-``.

    Raises:
        ValueError: If one cannot be read.
    """
    ranges = []
    for item in items:
        found = re.fullmatch(r"([^=]+)=(\d+)-(\d*)", item)
        if not found:
            raise ValueError(f"--curriculum {item}: expected TAG=FIRST-LAST or TAG=FIRST-, such as walk=1-10 run=5-.")
        first, last = int(found[2]), int(found[3]) if found[3] else None
        if first < 1 or (last is not None and last < first):
            raise ValueError(f"--curriculum {item}: epochs count from 1, and the last is not before the first.")
        ranges.append(TagRange(found[1], first, last))
    return ranges


def clips_of_epoch(entries: Sequence[MotionEntry], curriculum: Sequence[TagRange], epoch: int) -> list[MotionEntry]:
    """Clips of an epoch, counted from 0: those with a tag whose turn it is, and those with no tag of the curriculum.

    Tags are those of the manifest, and the activity.

    Raises:
        ValueError: If there is none.
    """
    named = {item.tag for item in curriculum}
    active = {item.tag for item in curriculum if item.first <= epoch + 1 <= (item.last or epoch + 1)}
    chosen = []
    for entry in entries:
        tags = named & {*entry.tags, activity_of(entry)}
        if not tags or tags & active:
            chosen.append(entry)
    if not chosen:
        raise ValueError(
            f"The curriculum leaves no clip to epoch {epoch + 1}. Its tags then: {sorted(active) or 'none'}."
        )
    return chosen


def require_used(entries: Sequence[MotionEntry], curriculum: Sequence[TagRange]) -> None:
    """Check that every tag of a curriculum belongs to a clip.

    Raises:
        ValueError: If one does not; the message lists those that exist.
    """
    known = {tag for entry in entries for tag in (*entry.tags, activity_of(entry)) if tag}
    missing = [item.tag for item in curriculum if item.tag not in known]
    if missing:
        raise ValueError(f"--curriculum: no training clip has the tag {missing[0]!r}. Tags: {sorted(known)}.")
