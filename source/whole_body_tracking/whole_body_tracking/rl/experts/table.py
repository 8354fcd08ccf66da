"""``experts.yaml``: which checkpoint tracks which motion."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from whole_body_tracking.files import write_atomically
from whole_body_tracking.motion.sources.motion_entries import MotionEntry

TABLE_FILE = "experts.yaml"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Expert:
    """A policy and the one motion that it was trained on."""

    motion: str
    """Name of the clip."""
    sha256: str
    """Digest of the clip."""
    task: str
    """Task that the expert was trained on."""
    run_folder: Path
    """Folder that ``train.py`` wrote; relative to the table in the file."""
    checkpoint: str
    """File in :attr:`run_folder`."""
    file: Path
    """The clip; relative to the table in the file if it lies below its folder."""
    frame_range: tuple[int, int] | None = None
    """Frames of the clip that count, 1-based, both included."""

    @property
    def path(self) -> Path:
        """Path of the checkpoint."""
        return self.run_folder / self.checkpoint

    @property
    def entry(self) -> MotionEntry:
        """The clip as the motion loader takes it."""
        return MotionEntry(self.file, frame_range=self.frame_range)


FIELDS = tuple(field.name for field in fields(Expert))


@dataclass(frozen=True)
class ExpertTable:
    """Experts in the order in which they were trained, each motion once."""

    path: Path
    """The file, which paths in it are relative to."""
    arguments: tuple[str, ...] = ()
    """Command line that trained them, without motions and machine."""
    experts: tuple[Expert, ...] = ()

    def __len__(self) -> int:
        return len(self.experts)

    @property
    def motions(self) -> tuple[str, ...]:
        """Motion of each expert."""
        return tuple(expert.motion for expert in self.experts)

    def find(self, motion: str) -> Expert | None:
        """Expert of a motion, if there is one."""
        return next((expert for expert in self.experts if expert.motion == motion), None)

    def with_expert(self, expert: Expert) -> ExpertTable:
        """This table with an expert added, or replaced if its motion has one."""
        others = tuple(other for other in self.experts if other.motion != expert.motion)
        return ExpertTable(self.path, self.arguments, (*others, expert))

    def save(self) -> None:
        """Write the file under a temporary name, then rename it."""
        content = {
            "format_version": FORMAT_VERSION,
            "arguments": list(self.arguments),
            "experts": [self._row(expert) for expert in self.experts],
        }
        write_atomically(self.path, yaml.safe_dump(content, sort_keys=False, width=1000))

    def _row(self, expert: Expert) -> dict[str, Any]:
        row = {name: getattr(expert, name) for name in FIELDS}
        row["run_folder"] = os.path.relpath(expert.run_folder, self.path.parent)
        below = expert.file.is_relative_to(self.path.parent)
        row["file"] = str(expert.file.relative_to(self.path.parent) if below else expert.file)
        row["frame_range"] = list(expert.frame_range) if expert.frame_range else None
        return row


def read_experts(path: Path) -> ExpertTable:
    """Read an ``experts.yaml``, or the one in a folder.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a table of experts, or names a motion twice.
    """
    path = (path / TABLE_FILE if path.is_dir() else path).absolute()
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist. Expected an {TABLE_FILE} written by train_experts.py.")
    try:
        content = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    keys = {"format_version", "arguments", "experts"}
    if not isinstance(content, dict) or set(content) != keys or content["format_version"] != FORMAT_VERSION:
        raise ValueError(
            f"{path} is not a table of experts: expected the keys {', '.join(sorted(keys))} with format_version"
            f" {FORMAT_VERSION}. train_experts.py writes such files."
        )
    rows, arguments = content["experts"] or [], content["arguments"] or []
    if not isinstance(rows, list) or not isinstance(arguments, list):
        raise ValueError(f"{path}: `arguments` and `experts` should be lists.")
    experts = tuple(_read_row(path, row) for row in rows)
    _require_distinct(path, [expert.motion for expert in experts])
    return ExpertTable(path, tuple(map(str, arguments)), experts)


def _read_row(path: Path, row: Any) -> Expert:
    if not isinstance(row, dict) or set(row) != set(FIELDS):
        raise ValueError(f"{path}: an expert has the keys {', '.join(FIELDS)}, found {row!r}.")
    texts = {name: row[name] for name in FIELDS if name != "frame_range"}
    wrong = [name for name, value in texts.items() if not (isinstance(value, str) and value)]
    if wrong:
        raise ValueError(f"{path}: {', '.join(wrong)} of expert '{row['motion']}' should be text.")
    frames = row["frame_range"]
    if frames is not None and not (isinstance(frames, list) and [type(frame) for frame in frames] == [int, int]):
        raise ValueError(
            f"{path}: `frame_range` of expert '{row['motion']}' should be [first, last], found {frames!r}."
        )
    return Expert(
        **{**texts, "run_folder": path.parent / row["run_folder"], "file": path.parent / row["file"]},
        frame_range=None if frames is None else tuple(frames),
    )


def _require_distinct(path: Path, motions: Sequence[str]) -> None:
    twice = sorted({motion for motion in motions if motions.count(motion) > 1})
    if twice:
        raise ValueError(f"{path} has two experts of {', '.join(twice)}. Leave one of them out.")
