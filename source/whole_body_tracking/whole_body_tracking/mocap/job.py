"""Files and folders of mocap to clips: what ``scripts/retarget.py`` calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from whole_body_tracking.cli import USER_ERRORS, describe
from whole_body_tracking.motion.sources.paths import natural_key

from .figure import RobotFigure
from .readers.bvh_writer import write_bvh
from .reading import SUFFIXES, MocapFile, read_mocap
from .report import RetargetReport
from .retarget import Retargeted, RetargetSettings, retarget


@dataclass(frozen=True)
class RetargetJob:
    """Which files to retarget, how, and where to."""

    input_path: Path
    """A BVH or AMC file, or a folder of them."""
    figure: RobotFigure
    settings: RetargetSettings = field(default_factory=RetargetSettings)
    skeleton: Path | None = None
    """ASF of AMC files; None takes the one beside each."""
    output_file: Path | None = None
    """Where to write one clip, or one BVH."""
    output_dir: Path | None = None
    """Where to write clips named after their input; beside the input when None."""
    unit: str | None = None
    up: str | None = None
    input_fps: float | None = None
    table: str | None = None

    def __post_init__(self):
        if self.output_file and self.output_dir:
            raise ValueError("Give --output_file or --output_dir, not both.")
        if self.input_path.is_dir() and self.output_file:
            raise ValueError(f"{self.input_path} is a folder; --output_file is for one file. Use --output_dir.")
        if self.output_file and self.output_file.suffix.lower() not in (".npz", ".bvh"):
            raise ValueError(
                f"--output_file {self.output_file} should end in .npz, or in .bvh to convert the mocap only."
            )
        if self.skeleton is not None and not self.skeleton.is_file():
            raise FileNotFoundError(f"The skeleton {self.skeleton} does not exist.")

    @property
    def is_folder(self) -> bool:
        return self.input_path.is_dir()

    @property
    def inputs(self) -> list[Path]:
        """The files, sorted naturally.

        Raises:
            FileNotFoundError: If there is none.
            ValueError: If two would be written to one clip.
        """
        if not self.is_folder:
            return [self.input_path]
        found = [path for path in self.input_path.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()]
        if not found:
            raise FileNotFoundError(f"The folder {self.input_path} holds no {' or '.join(SUFFIXES)} file.")
        twice = sorted({path.stem for path in found if [other.stem for other in found].count(path.stem) > 1})
        if twice:
            raise ValueError(f"Several files in {self.input_path} are called {twice}: their clips would have one name.")
        return sorted(found, key=natural_key)

    def output_of(self, path: Path) -> Path:
        """Where the clip of an input goes."""
        return self.output_file or (self.output_dir or path.parent) / f"{path.stem}.npz"

    def read(self, path: Path) -> MocapFile:
        """Read one input; see :func:`~.reading.read_mocap`."""
        skeleton = self.skeleton if path.suffix.lower() == ".amc" or not self.is_folder else None
        return read_mocap(path, skeleton, self.unit, self.up, self.input_fps, self.table)


@dataclass(frozen=True)
class RetargetResult:
    """One retargeted, converted or refused file."""

    input_path: Path
    output_path: Path
    file: MocapFile | None = None
    result: Retargeted | None = None
    """None after an error, and when only a BVH was written."""
    error: str | None = None

    def notes(self) -> list[str]:
        """What a user should know of the file and the clip, a line each."""
        notes = list(self.file.notes) if self.file else []
        if self.result and self.result.smoothing:
            notes.append(self.result.smoothing.describe())
        if self.result:
            notes += quality_notes(self.result.report)
        return notes


def quality_notes(report: RetargetReport) -> list[str]:
    """What of a clip a robot cannot follow, a line each."""
    quality, notes = report.quality, []
    if quality.joint_speed_violations:
        notes.append(
            f"warning: {quality.joint_speed_violations} joint speeds above the motors' limits, the worst"
            f" {quality.worst_speed_joint} at {100 * quality.worst_speed_ratio:.0f} %; --smooth_hz may help"
        )
    if quality.jumps:
        notes.append(f"warning: the root jumps in {quality.jumps} frames; check the mocap there")
    if report.self_overlap_mm > 10.0:
        notes.append(f"warning: capsules of the robot overlap by up to {report.self_overlap_mm:.0f} mm")
    return notes


def run_retargeting(job: RetargetJob) -> Iterator[RetargetResult]:
    """Retarget and save every input; in a folder a bad one is reported and the others still come."""
    for path in job.inputs:
        output = job.output_of(path)
        try:
            if output.exists() and path.exists() and output.samefile(path):
                raise ValueError(f"{path} would overwrite itself. Give another --output_file.")
            file = job.read(path)
            if output.suffix.lower() == ".bvh":
                write_bvh(file.motion, output)
                yield RetargetResult(path, output, file)
                continue
            result = retarget(file, job.figure, job.settings)
            result.clip.save(output)
            yield RetargetResult(path, output, file, result)
        except USER_ERRORS as error:
            yield RetargetResult(path, output, error=describe(error))
