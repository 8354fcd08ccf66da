"""Play the rollouts of an evaluation in parts on a Ray cluster, each part in a process of its own.

A part plays every n-th rollout and writes recordings and metrics to a file. Rollout i starts the same way in whichever
part it is, so the report is that of one process.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from whole_body_tracking.files import replacing
from whole_body_tracking.rl.run.launching import Command, script_command
from whole_body_tracking.rl.run.ray_options import RayOptions
from whole_body_tracking.rl.run.ray_queue import run_on_ray
from whole_body_tracking.tracking.errors import BodyState

from .batches import Rollouts
from .metrics.measure import RolloutMetrics
from .recording import Recording

RAY_FLAGS = ("--ray", "--cpu_per_worker", "--gpu_per_worker", "--ram_gb_per_worker", "--num_workers", "--max_retries")
OWN_FLAGS = (*RAY_FLAGS, "--output_dir", "--checkpoint", "--wandb_path", "--video_length")
"""Flags that a part does not get, or gets with another value; each takes one value."""
CONTENT = [Rollouts, RolloutMetrics, Recording, BodyState]
"""Classes that a part's file may hold."""


@dataclass(frozen=True)
class Part:
    """One part of an evaluation."""

    number: int
    """From 1 on."""
    total: int

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read a part such as ``2/8``.

        Raises:
            ValueError: If it is not one.
        """
        number, _, total = text.partition("/")
        if not (number.isdigit() and total.isdigit() and 1 <= int(number) <= int(total)):
            raise ValueError(f"--part {text}: expected NUMBER/TOTAL, such as 2/8.")
        return cls(int(number), int(total))

    def rollouts(self, num_rollouts: int) -> Tensor:
        """Numbers of the part's rollouts among all of the evaluation, ascending from 0."""
        return torch.arange(self.number - 1, num_rollouts, self.total)

    def file(self, folder: Path) -> Path:
        """Path of the file with what the part's rollouts did."""
        return folder / f"part_{self.number}_of_{self.total}.pt"


@dataclass(frozen=True)
class PartResult:
    """Result of a part of the evaluation, as it is printed."""

    folder: Path
    num_rollouts: int

    def render(self) -> str:
        """One line for the log."""
        return f"{self.num_rollouts} rollouts played"


@dataclass(frozen=True)
class PartJob:
    """A part as a queue runs it."""

    part: Part
    arguments: tuple[str, ...]
    """Command line of ``evaluate.py`` without part and device."""
    folder: Path
    """Folder of all parts."""

    @property
    def name(self) -> str:
        """Name of the part in messages."""
        return f"part {self.part.number} of {self.part.total}"

    def steps(self, device: str) -> Iterator[Command]:
        """The one command, unless the part's file is there."""
        if not self.part.file(self.folder).is_file():
            own = ("--part", f"{self.part.number}/{self.part.total}", "--output_dir", str(self.folder))
            words = (*script_command("rsl_rl", "evaluate.py"), *self.arguments, *own, "--device", device)
            yield Command(words, Path.cwd(), self.part.file(self.folder).with_suffix(".log"))


def play_parts(
    argv: Sequence[str], checkpoint: Path | None, num_rollouts: int, options: RayOptions, folder: Path
) -> tuple[dict[str, Rollouts], list[str]]:
    """Play all rollouts of an evaluation on a Ray cluster.

    Args:
        argv: Command line of the evaluation.
        checkpoint: Checkpoint that all parts play; None for experts, which the command line names.
        num_rollouts: Rollouts in all.
        options: Cluster, resources of each part, and the number of parts as ``num_workers``.
        folder: Folder of the report; the parts are in a folder below it until all have been read.

    Returns:
        The rollouts by where they start, and the joints in the order of their recordings.

    Raises:
        ChildProcessError: If a part fails; the message ends with the last lines of its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="parts_", dir=folder.absolute()))
    total = min(options.num_workers, num_rollouts)
    arguments = without_flags(argv, OWN_FLAGS, ("--video",))
    arguments += () if checkpoint is None else ("--checkpoint", str(checkpoint.absolute()))
    parts = [Part(number, total) for number in range(1, total + 1)]
    failed = []

    def ended(job: PartJob, error: ChildProcessError | None) -> None:
        failed.extend([] if error is None else [error])
        print(f"[INFO] {job.name}: {'played' if error is None else 'failed'}")

    run_on_ray([PartJob(part, arguments, place) for part in parts], options, place, ended)
    if failed:
        raise failed[0]
    loaded = [load_part(part.file(place)) for part in parts]
    shutil.rmtree(place)
    played = {start: merge_parts([played[start] for played, _ in loaded]) for start in loaded[0][0]}
    return played, loaded[0][1]


def save_part(path: Path, played: dict[str, Rollouts], joint_names: Sequence[str]) -> None:
    """Write what the rollouts of a part did."""
    with replacing(path) as partial:
        torch.save({"played": played, "joint_names": list(joint_names)}, partial)


def load_part(path: Path) -> tuple[dict[str, Rollouts], list[str]]:
    """Read the rollouts of a part by where they start, and the joints in the order of their recordings."""
    with torch.serialization.safe_globals(CONTENT):
        content = torch.load(path, weights_only=True)
    return content["played"], content["joint_names"]


def merge_parts(parts: Sequence[Rollouts]) -> Rollouts:
    """Rollouts of all parts in the order of the evaluation: rollout i is in part i modulo their number."""
    count, total = sum(len(part.recordings) for part in parts), len(parts)
    places = [(index % total, index // total) for index in range(count)]
    measured = RolloutMetrics.concatenate([parts[part].measured.select([row]) for part, row in places])
    frames = torch.stack([parts[part].start_frames[row] for part, row in places])
    return Rollouts(measured, [parts[part].recordings[row] for part, row in places], frames)


def without_flags(argv: Sequence[str], valued: Sequence[str], bare: Sequence[str] = ()) -> tuple[str, ...]:
    """A command line without some flags and their values.

    Args:
        argv: Command line.
        valued: Flags with one value, which follows or stands behind ``=``.
        bare: Flags without a value.
    """
    kept, skip = [], False
    for token in argv:
        name, is_joined, _ = token.partition("=")
        if skip:
            skip = False
        elif name in valued:
            skip = not is_joined
        elif token not in bare:
            kept.append(token)
    return tuple(kept)
