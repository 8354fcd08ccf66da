"""Files of (observation, action) pairs: one line that says whose they are, then rows that are appended as they come."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from whole_body_tracking.files import write_atomically

FORMAT = 1
CHUNK_ROWS = 16_384
"""Rows read at a time where all are needed."""


@dataclass(frozen=True)
class SampleLayout:
    """What the rows of a file belong to; a file of another is refused."""

    robot: str
    clip: str
    """Name of the clip."""
    clip_sha256: str
    control_dt: float
    """Duration of a step [s]."""
    observations: tuple[tuple[str, int], ...]
    """Terms of the actor's observation in their order, each with its number of values."""
    joint_names: tuple[str, ...]
    """Joints in the order of the action."""
    action_center: str
    """Joint target of a zero action: ``default``, ``reference`` or ``joint_target``."""
    action_sha256: str
    """Of the joint targets of a zero action at every frame, and of the action scales."""

    @property
    def num_observations(self) -> int:
        return sum(width for _, width in self.observations)

    @property
    def num_actions(self) -> int:
        return len(self.joint_names)

    def differences(self, other: SampleLayout) -> list[str]:
        """Differences from the layout that is wanted here, in words."""
        found = [
            f"{what} {there}, here {here}"
            for what, there, here in (
                ("robot", self.robot, other.robot),
                ("clip", self._clip, other._clip),
                ("control period [s]", f"{self.control_dt:g}", f"{other.control_dt:g}"),
                ("actions about", self.action_center, other.action_center),
                ("joints", _listed(self.joint_names), _listed(other.joint_names)),
                ("observations", _terms(self.observations), _terms(other.observations)),
            )
            if there != here
        ]
        if not found and self.action_sha256 != other.action_sha256:
            found = ["other joint targets or scales of its actions"]
        return found

    @property
    def _clip(self) -> str:
        return f"{self.clip} ({self.clip_sha256[:12]})" if self.clip_sha256 else self.clip


@dataclass
class Samples:
    """Rows of a file."""

    observations: np.ndarray
    """Shape [num_rows, num_observations], float32."""
    actions: np.ndarray
    """What the expert would have done, shape [num_rows, num_actions], float32."""
    frames: np.ndarray
    """Frame that the robot was at, shape [num_rows]."""
    rounds: np.ndarray
    """Round in which each was collected, shape [num_rows]."""


class SampleFile:
    """A file of samples that grows; a process that is killed leaves all rows but the one it was writing."""

    def __init__(self, path: Path, layout: SampleLayout, offset: int):
        self.path, self.layout, self._offset = path, layout, offset
        self._width = layout.num_observations + layout.num_actions + 2

    @classmethod
    def open(cls, path: Path, layout: SampleLayout) -> SampleFile:
        """Open a file for reading and appending; create it if there is none.

        Raises:
            FileNotFoundError: If its folder does not exist.
            ValueError: If it is not such a file, or its samples belong to something else than ``layout``.
        """
        if not path.parent.is_dir():
            raise FileNotFoundError(f"{path.parent}, the folder of the data set {path.name}, does not exist.")
        if not path.exists():
            write_atomically(path, json.dumps({"format": FORMAT} | asdict(layout)) + "\n")
        found, offset = read_layout(path)
        differences = found.differences(layout)
        if differences:
            raise ValueError(
                f"{path} is a data set of something else: {'; '.join(differences)}. Use the clip, task and settings"
                " that it was made with, or another --dataset FILE."
            )
        return cls(path, found, offset)

    def __len__(self) -> int:
        """Complete rows."""
        return max(0, self.path.stat().st_size - self._offset) // (4 * self._width)

    def append(self, observations: np.ndarray, actions: np.ndarray, frames: np.ndarray, round_index: int) -> None:
        """Add rows at the end.

        Args:
            observations: Shape [num_rows, num_observations].
            actions: Shape [num_rows, num_actions].
            frames: Shape [num_rows].
            round_index: Round of all of them.

        Raises:
            ValueError: If the widths are others, or a value is not finite.
        """
        rounds = np.full(len(frames), round_index)
        rows = np.column_stack([observations, actions, frames, rounds]).astype("<f4")
        if rows.shape[1] != self._width or not np.isfinite(rows).all():
            raise ValueError(
                f"{self.path}: rows of {rows.shape[1]} values, {np.count_nonzero(~np.isfinite(rows))} of them not"
                f" finite; expected {self._width} finite values."
            )
        end = self._offset + 4 * self._width * len(self)
        with self.path.open("r+b") as file:
            file.truncate(end)  # what a killed process left of a row
            file.seek(end)
            file.write(rows.tobytes())

    def read(self, rows: np.ndarray | slice) -> Samples:
        """Some rows; the others stay on the disk."""
        count = len(self)
        if count == 0:
            return self._split(np.zeros((0, self._width), dtype=np.float32))
        table = np.memmap(self.path, dtype="<f4", mode="r", offset=self._offset, shape=(count, self._width))
        return self._split(np.array(table[rows], dtype=np.float32))

    def chunks(self) -> Iterator[Samples]:
        """All rows in order, a part at a time."""
        for start in range(0, len(self), CHUNK_ROWS):
            yield self.read(slice(start, start + CHUNK_ROWS))

    def sync(self) -> None:
        """Wait until the rows are on the disk."""
        with self.path.open("rb") as file:
            os.fsync(file.fileno())

    def _split(self, rows: np.ndarray) -> Samples:
        ends = np.cumsum([self.layout.num_observations, self.layout.num_actions])
        observations, actions, rest = np.split(rows, ends, axis=1)
        return Samples(observations, actions, rest[:, 0].astype(int), rest[:, 1].astype(int))


def read_layout(path: Path) -> tuple[SampleLayout, int]:
    """What a file says of its rows, and where they begin [bytes].

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a data set.
    """
    if not path.is_file():
        raise FileNotFoundError(f"Data set {path} does not exist.")
    with path.open("rb") as file:
        line = file.readline(1_000_000)
    try:
        content = json.loads(line)
        if content.pop("format") != FORMAT:
            raise ValueError("another format")
        terms = tuple((name, int(width)) for name, width in content.pop("observations"))
        layout = SampleLayout(**content | {"observations": terms, "joint_names": tuple(content["joint_names"])})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a data set that train_sft.py wrote (format {FORMAT}): {error}.") from None
    return layout, len(line)


def _terms(observations: tuple[tuple[str, int], ...]) -> str:
    return ", ".join(f"{name}({width})" for name, width in observations)


def _listed(names: tuple[str, ...]) -> str:
    return f"{len(names)} from {names[0]} to {names[-1]}" if names else "none"
