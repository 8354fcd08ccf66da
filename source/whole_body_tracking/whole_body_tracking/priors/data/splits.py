"""Training, validation and test clips: whole subjects or whole activities are held out, never frames."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from whole_body_tracking.files import write_json
from whole_body_tracking.motion.sources.motion_entries import MotionEntry
from whole_body_tracking.names import require_known

SPLITS = ("subject", "activity")
SPLIT_FILE = "split_info.json"
ROLES = ("train", "validation", "test")
VALIDATION_SHARE = 0.1
"""Share of the clips that are not held out which choose the best epoch, at least one where there are three."""


def activity_of(entry: MotionEntry) -> str | None:
    """Activity of a clip: its tag ``activity:NAME``, or the letters its name begins with (``walk1_subject3``: walk)."""
    return _tagged(entry, "activity") or _matched(r"([A-Za-z]+)\d*_", entry.name)


def subject_of(entry: MotionEntry) -> str | None:
    """Subject of a clip: its tag ``subject:NAME``, ``subjectN`` in its name, or the N of a CMU name N_M."""
    found = _tagged(entry, "subject") or _matched(r"(subject\d+)", entry.name)
    return found or _matched(r"^(\d+)_\d+", entry.name)


GROUPS = {"subject": subject_of, "activity": activity_of}


def _tagged(entry: MotionEntry, key: str) -> str | None:
    found = [tag.partition(":")[2] for tag in entry.tags if tag.startswith(f"{key}:")]
    return found[0] if found else None


def _matched(pattern: str, name: str) -> str | None:
    found = re.search(pattern, name)
    return found.group(1) if found else None


@dataclass(frozen=True)
class Split:
    """Which clips are for what."""

    kind: str
    """One of :data:`SPLITS`."""
    held_out: tuple[str, ...]
    """Subjects or activities of the test clips."""
    train: tuple[MotionEntry, ...]
    validation: tuple[MotionEntry, ...]
    test: tuple[MotionEntry, ...]

    def entries(self, role: str) -> tuple[MotionEntry, ...]:
        """Clips of one of :data:`ROLES`."""
        return getattr(self, role)

    @property
    def digest(self) -> str:
        """SHA-256 of roles, names and files."""
        return hashlib.sha256(json.dumps(self._clips(), sort_keys=True).encode()).hexdigest()

    def _clips(self) -> dict[str, list[dict]]:
        return {role: [_described(entry) for entry in self.entries(role)] for role in ROLES}

    def save(self, path: Path) -> None:
        """Write ``split_info.json``: each clip with its file's SHA-256."""
        write_json(path, {"split": self.kind, "held_out": list(self.held_out), **self._clips()})

    @classmethod
    def load(cls, path: Path) -> Split:
        """Read a split file and check that its clips are those of the training.

        Raises:
            FileNotFoundError: If the file, or a clip in it, is gone.
            ValueError: If it is no split file, or a clip has changed since.
        """
        if not path.is_file():
            raise FileNotFoundError(f"The split file {path} does not exist. train_motion.py writes it.")
        try:
            content = json.loads(path.read_text())
            roles = {role: tuple(_entry(clip, path) for clip in content[role]) for role in ROLES}
            return cls(content["split"], tuple(content["held_out"]), **roles)
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path} is not a split file ({type(error).__name__}: {error}). Expected the keys split, held_out,"
                f" {', '.join(ROLES)}, as train_motion.py writes them."
            ) from None


def _described(entry: MotionEntry) -> dict:
    return {
        "name": entry.name,
        "path": str(entry.path.resolve()),
        "sha256": file_digest(entry.path),
        "frame_range": list(entry.frame_range) if entry.frame_range else None,
        "tags": list(entry.tags),
    }


def _entry(clip: dict, source: Path) -> MotionEntry:
    path = Path(clip["path"])
    if not path.is_file():
        raise FileNotFoundError(f"{source}: the clip {path} is gone. Put it back, or train again without it.")
    if file_digest(path) != clip["sha256"]:
        raise ValueError(
            f"{source}: {path} has changed since the split was made, so that what was held out is no longer known."
            " Put the old file back, or train again."
        )
    frame_range = tuple(clip["frame_range"]) if clip["frame_range"] else None
    return MotionEntry(path, tags=tuple(clip["tags"]), frame_range=frame_range)


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_split(
    entries: Sequence[MotionEntry], kind: str, test_ratio: float, seed: int, held_out: Sequence[str] = ()
) -> Split:
    """Hold out whole subjects or activities.

    Args:
        entries: All clips.
        kind: One of :data:`SPLITS`.
        test_ratio: Share of the frames to hold out; groups are taken in a random order as long as they bring it nearer.
        seed: Of that order, and of the choice of validation clips.
        held_out: Groups to hold out instead, by name.

    Raises:
        ValueError: If a clip belongs to no group, there are fewer than two groups, or a name is unknown.
    """
    require_known(kind, SPLITS, "split")
    if not 0.0 < test_ratio < 1.0:
        raise ValueError(f"--test_ratio is {test_ratio}, expected between 0 and 1.")
    groups = _groups(entries, kind)
    names = list(held_out) or _drawn(groups, test_ratio, seed)
    require_known(names, groups, kind)
    if len(names) >= len(groups):
        raise ValueError(f"All of {sorted(groups)} would be held out: nothing is left to train on.")
    kept = [entry for name, group in groups.items() if name not in names for entry in group]
    validation = _validation(kept, seed)
    test = [entry for name in names for entry in groups[name]]
    train = tuple(entry for entry in kept if entry not in validation)
    return Split(kind, tuple(names), train, tuple(validation), tuple(test))


def _groups(entries: Sequence[MotionEntry], kind: str) -> dict[str, list[MotionEntry]]:
    groups: dict[str, list[MotionEntry]] = {}
    for entry in entries:
        name = GROUPS[kind](entry)
        if name is None:
            raise ValueError(
                f"{entry.name}: its {kind} is not in its name. Name it like walk1_subject3, or list the clips in a"
                f" manifest with a tag `{kind}:NAME` each."
            )
        groups.setdefault(name, []).append(entry)
    if len(groups) < 2:
        raise ValueError(
            f"All {len(entries)} clips are of the {kind} {next(iter(groups), 'none')}; holding one out needs at least"
            f" two. Split by {' or '.join(other for other in SPLITS if other != kind)}, or add clips."
        )
    return dict(sorted(groups.items()))


def _drawn(groups: dict[str, list[MotionEntry]], test_ratio: float, seed: int) -> list[str]:
    frames = {name: sum(entry.header().num_frames for entry in group) for name, group in groups.items()}
    wanted, chosen, taken = test_ratio * sum(frames.values()), [], 0
    for index in np.random.default_rng(seed).permutation(len(groups)):
        name = list(groups)[index]
        if len(chosen) < len(groups) - 1 and (not chosen or abs(taken + frames[name] - wanted) < abs(taken - wanted)):
            chosen.append(name)
            taken += frames[name]
    return sorted(chosen)


def _validation(kept: list[MotionEntry], seed: int) -> list[MotionEntry]:
    """Clips, not frames of them, that choose the best epoch; none where there are fewer than three."""
    if len(kept) < 3:
        return []
    count = max(1, round(VALIDATION_SHARE * len(kept)))
    return [kept[index] for index in sorted(np.random.default_rng([seed, 1]).permutation(len(kept))[:count])]
