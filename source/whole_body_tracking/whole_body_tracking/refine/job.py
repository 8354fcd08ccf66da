"""Refine every clip of a library with every method asked for, measure, and write: what the script calls."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from whole_body_tracking.motion.sources.motion_entries import MotionEntry
from whole_body_tracking.robots import RobotModel

from .channels import save_refined
from .measuring import Playback, WindowErrors, play, played_clip, window_errors
from .methods import Refined, RefinementProblem, RefineSettings, pose_problem, refine

WINDOW_STEPS = 50
"""Length of the open-loop windows."""
MAX_SINGLE_STEPS = 500
"""Frames whose single step is measured; a longer clip has them farther apart."""


@dataclass
class MeasuredMethod:
    """What a method found, and how well it reproduces the clip."""

    name: str
    refined: Refined | None
    """None for the reference's own joint positions, which are there to compare."""
    single: WindowErrors
    windows: WindowErrors | None
    """None for a clip shorter than a window."""
    playback: Playback

    @property
    def rank(self) -> tuple[bool, float, float]:
        """The larger the better: finished, then survived, then close."""
        return self.playback.finished, self.playback.num_survived, -self.playback.mpkpe

    def as_json(self) -> dict:
        """The numbers under their stable keys; null where there is none."""
        return {
            "single_step_joint_error": float(self.single.joint[0]),
            "fifty_step_joint_error": None if self.windows is None else float(self.windows.joint[-1]),
            "root_drift": None if self.windows is None else float(self.windows.root[-1]),
            "finished": self.playback.finished,
            "mpkpe_cm": 100.0 * self.playback.mpkpe,
            "seconds": 0.0 if self.refined is None else self.refined.seconds,
        }


@dataclass
class RefinedClip:
    """A clip with all its methods."""

    problem: RefinementProblem
    baseline: MeasuredMethod
    methods: list[MeasuredMethod]
    output_path: Path | None = None

    @property
    def name(self) -> str:
        return self.problem.reference.clip.name

    @property
    def best(self) -> MeasuredMethod:
        """The method whose targets are written."""
        return max(self.methods, key=lambda method: method.rank)

    def summary(self) -> ClipSummary:
        """What is worth keeping of the clip once it is written."""
        best = self.best
        return ClipSummary(
            name=self.name,
            root_residual=self.problem.dynamics.root_residual,
            best=best.name,
            survived=best.playback.num_survived / (self.problem.reference.num_frames - 1),
            mpkpe=best.playback.mpkpe,
            seconds=best.refined.seconds,
            methods={method.name: method.as_json() for method in self.methods},
        )


@dataclass(frozen=True)
class ClipSummary:
    """The numbers of one refined clip."""

    name: str
    root_residual: np.ndarray
    """[body weights], shape [num_frames]."""
    best: str
    """Method whose targets were written."""
    survived: float
    """Share of the steps that it got through from the first frame."""
    mpkpe: float
    """[m]"""
    seconds: float
    methods: dict[str, dict]
    """Numbers of every method under their stable keys."""

    def as_json(self) -> dict:
        """The clip's entry of the JSON file."""
        return {"clip": self.name, "methods": self.methods}


@dataclass(frozen=True)
class RefinementJob:
    """What to refine, how, and where to."""

    entries: Sequence[MotionEntry]
    methods: Sequence[str]
    settings: RefineSettings
    robot: RobotModel
    output_file: Path | None = None
    """Where one clip goes: .npz, or .npy for the targets alone."""
    output_dir: Path | None = None
    """Where several clips go, under their names."""
    replace_reference: bool = False
    """Store the trajectory that the physics took instead of the clip's."""

    def __post_init__(self):
        if self.output_file and self.output_dir:
            raise ValueError("Give --output_file for one clip, or --output_dir for several.")
        if self.output_file and len(self.entries) > 1:
            raise ValueError(
                f"--output_file {self.output_file} is for one clip, and {len(self.entries)} are given."
                " Use --output_dir."
            )
        if self.output_file and self.output_file.suffix not in (".npz", ".npy"):
            raise ValueError(
                f"--output_file {self.output_file} should end in .npz (clip with joint targets) or .npy (targets"
                " alone)."
            )
        for entry in self.entries:
            output = self.output_of(entry)
            if output and output.exists() and output.samefile(entry.path):
                raise ValueError(f"{entry.path} would overwrite itself. Give another --output_file or --output_dir.")

    def output_of(self, entry: MotionEntry) -> Path | None:
        """Where a clip's result goes, None if nowhere."""
        return self.output_file or (self.output_dir / f"{entry.name}.npz" if self.output_dir else None)


def run_job(
    job: RefinementJob, report: Callable[[str, str, float], None] = lambda clip, method, share: None
) -> Iterator[RefinedClip]:
    """Refine clip after clip; each is written before the next begins.

    Args:
        job: What to do.
        report: Called with clip, method and the share of it that is done.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a clip does not fit the robot, the physics or the ground, or a setting is out of range.
    """
    problem = None
    for entry in job.entries:
        problem = pose_problem(entry.load(), job.robot, problem)
        result = _refine_clip(job, problem, report)
        result.output_path = job.output_of(entry)
        if result.output_path:
            _write(result, job.replace_reference)
        yield result


def _refine_clip(
    job: RefinementJob, problem: RefinementProblem, report: Callable[[str, str, float], None]
) -> RefinedClip:
    name = problem.reference.clip.name
    methods = []
    for method in job.methods:
        refined = refine(problem, method, job.settings, partial(report, name, method))
        methods.append(_measured(method, refined, problem))
    return RefinedClip(problem, _measured("reference", None, problem), methods)


def _measured(name: str, refined: Refined | None, problem: RefinementProblem) -> MeasuredMethod:
    reference = problem.reference
    targets = reference.joint_pos if refined is None else refined.joint_target
    windows = None
    if reference.num_frames > WINDOW_STEPS:
        windows = window_errors(problem.physics, reference, targets, WINDOW_STEPS)
    single = window_errors(problem.physics, reference, targets, 1, stride=1, max_windows=MAX_SINGLE_STEPS)
    return MeasuredMethod(name, refined, single, windows, play(reference, targets))


def _write(result: RefinedClip, replace_reference: bool) -> None:
    best, reference = result.best, result.problem.reference
    clip = reference.clip
    if replace_reference and best.playback.finished:
        clip = played_clip(reference, best.playback)
    elif replace_reference:
        warnings.warn(
            f"{result.name}: no method reached the end, so the clip keeps its own trajectory in {result.output_path}.",
            stacklevel=2,
        )
    save_refined(result.output_path, clip, best.refined.channels(result.problem), reference.clip, best.name)
