"""Conversion of files and folders: what ``scripts/csv_to_npz.py`` calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from whole_body_tracking.cli import USER_ERRORS, describe

from ..clip import MotionClip
from ..sources.paths import natural_key
from .convert import convert
from .mirror import mirrored
from .readers import read_csv


@dataclass(frozen=True)
class ConversionJob:
    """Files to convert, settings, and destination."""

    input_path: Path
    """A CSV file, a nameless NPZ (with :attr:`layout`), or a folder of CSV files."""
    input_fps: float | None
    """Rate of the CSV files [Hz]."""
    output_fps: float = 50.0
    """Rate of the clips [Hz]."""
    frame_range: tuple[int, int] | None = None
    """First and last row to keep, 1-based, both included."""
    quat_order: str = "xyzw"
    """Order of the quaternion columns of the CSV files."""
    layout: str | None = None
    """Layout of a nameless NPZ input."""
    ground: bool = False
    """Put the lowest sole on z = 0."""
    mirror: bool = False
    """Exchange left and right."""
    robot: str = "g1"
    """Name of the robot that moves."""
    output_file: Path | None = None
    """Destination of one clip."""
    output_dir: Path | None = None
    """Folder for clips named after their input; the input's folder when None."""
    output_name: str | None = None
    """Name of one clip instead of its input's."""

    def __post_init__(self):
        if self.output_file and (self.output_dir or self.output_name):
            raise ValueError("Give --output_file alone, or --output_dir and/or --output_name.")
        if self.input_path.is_dir() and (self.output_file or self.output_name or self.frame_range):
            raise ValueError(
                f"{self.input_path} is a folder; --output_file, --output_name and --frame_range are for one file."
                " Use --output_dir."
            )
        if self.output_file and self.output_file.suffix != ".npz":
            raise ValueError(f"--output_file {self.output_file} should end in .npz.")
        if self.layout is None and self.input_fps is None:
            raise ValueError("--input_fps is missing: a CSV does not say its rate. Unitree's files have 30.")

    @property
    def inputs(self) -> list[Path]:
        """The files to convert, sorted naturally.

        Raises:
            FileNotFoundError: If there is none.
        """
        if not self.input_path.is_dir():
            return [self.input_path]
        suffix = ".npz" if self.layout else ".csv"
        files = sorted((path for path in self.input_path.glob(f"*{suffix}") if path.is_file()), key=natural_key)
        if not files:
            raise FileNotFoundError(f"The folder {self.input_path} contains no *{suffix} file.")
        return files

    def output_of(self, path: Path) -> Path:
        """Path of the clip of an input."""
        name = self.output_name.removesuffix(".npz") if self.output_name else path.stem
        return self.output_file or (self.output_dir or path.parent) / f"{name}.npz"

    def convert(self, path: Path) -> MotionClip:
        """Make the clip of one input.

        Raises:
            FileNotFoundError: If the input does not exist.
            ValueError: If it does not hold a motion of this robot.
        """
        clip = self._read(path)
        return mirrored(clip, self.robot) if self.mirror else clip

    def _read(self, path: Path) -> MotionClip:
        if self.layout:
            clip = MotionClip.load(path, layout=self.layout, robot=self.robot)
            clip.require_fps(self.output_fps)
            return clip
        raw = read_csv(path, self.input_fps, self.frame_range, self.quat_order, self.robot)
        return convert(raw, self.output_fps, self.robot, self.ground)


@dataclass(frozen=True)
class ConversionResult:
    """One converted or refused file."""

    input_path: Path
    output_path: Path
    clip: MotionClip | None
    """The clip that was written, None after an error."""
    error: str | None = None


def run_conversion(job: ConversionJob) -> Iterator[ConversionResult]:
    """Convert and save every input; a bad one is reported and the others still converted."""
    for path in job.inputs:
        output = job.output_of(path)
        try:
            if output.exists() and output.samefile(path):
                raise ValueError(f"{path} would overwrite itself. Give --output_file, --output_name or --output_dir.")
            clip = job.convert(path)
            clip.save(output)
            yield ConversionResult(path, output, clip)
        except USER_ERRORS as error:
            yield ConversionResult(path, output, None, describe(error))
