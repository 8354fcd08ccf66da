"""From a read mocap file to a robot's clip and a report on it."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass

import torch

from whole_body_tracking.motion import MotionClip, RawMotion, convert
from whole_body_tracking.motion.geometry.chain import Poses
from whole_body_tracking.names import require_known
from whole_body_tracking.robots import RobotModel

from .figure import RobotFigure
from .person.measure import measure_person
from .reading import MocapFile
from .report import RetargetReport, measure
from .skeleton import SkeletonMotion
from .smoothing import SmoothingNote, smooth
from .solver.levenberg_marquardt import SolverSettings, solve
from .solver.mink_solver import solve_with_mink
from .solver.problem import Problem, RetargetWeights
from .targets import Targets, build_targets

SOLVERS = ("lm", "mink")
"""``lm``: Levenberg-Marquardt over all frames at once; ``mink``: frame by frame, for comparison."""


@dataclass(frozen=True)
class RetargetSettings:
    """How motions are retargeted."""

    output_fps: float = 50.0
    """Rate of the clip [Hz]."""
    smooth_hz: float | None = None
    """Low-pass of the mocap [Hz]; None leaves it as recorded."""
    solver: str = "lm"
    """One of :data:`SOLVERS`."""
    weights: RetargetWeights = RetargetWeights()
    effort: SolverSettings = SolverSettings()

    def __post_init__(self):
        require_known(self.solver, SOLVERS, "solver")
        if not 1.0 <= self.output_fps <= 1000.0:
            raise ValueError(f"The output rate is {self.output_fps:g} fps, expected 1 to 1000.")


@dataclass(frozen=True)
class Retargeted:
    """A robot's motion and where it comes from."""

    clip: MotionClip
    report: RetargetReport
    skeleton: SkeletonMotion
    """The person at the clip's rate, in metres, z up."""
    targets: Targets
    smoothing: SmoothingNote | None


def retarget(file: MocapFile, figure: RobotFigure, settings: RetargetSettings | None = None) -> Retargeted:
    """Retarget one motion.

    Args:
        file: The mocap.
        figure: The robot.
        settings: Rate, smoothing and solver.

    Raises:
        ValueError: If the motion is too short for the rate or the filter, or a limb has length zero.
    """
    settings = settings or RetargetSettings()
    motion, note = file.motion, None
    if settings.smooth_hz is not None:
        feet = [file.joints[f"{side}_{part}"] for side in ("left", "right") for part in ("ankle", "toe")]
        motion, note = smooth(motion, settings.smooth_hz, feet)
    figure.prepare()
    started = time.perf_counter()
    with torch.inference_mode():  # a short clip's time goes into the number of operations, not into their size
        skeleton = motion.resampled(settings.output_fps)
        targets = build_targets(measure_person(file, skeleton), figure)
        poses = _solve(figure, targets, settings)
    seconds = time.perf_counter() - started
    clip = _clip(file, figure.robot, poses, settings, note)
    report = measure(clip, poses, targets, figure, settings.effort.limit_margin, seconds)
    return Retargeted(clip, report, skeleton, targets, note)


def _solve(figure: RobotFigure, targets: Targets, settings: RetargetSettings) -> Poses:
    if settings.solver == "mink":
        return solve_with_mink(figure, targets, settings.weights, settings.effort.limit_margin)
    problem = Problem(figure, targets, settings.weights, figure.capsules)
    return solve(problem, targets.fps, settings.effort)


def _clip(
    file: MocapFile, robot: RobotModel, poses: Poses, settings: RetargetSettings, note: SmoothingNote | None
) -> MotionClip:
    source = file.motion.source | {
        "table": file.table.name,
        "solver": settings.solver,
        "smooth_hz": settings.smooth_hz,
        "energy_removed": note.energy_removed if note else None,
    }
    raw = RawMotion(
        fps=settings.output_fps,
        root_pos=poses.root_pos.numpy(),
        root_quat=poses.root_quat.numpy(),
        joint_pos=poses.joint_pos.numpy(),
        joint_names=robot.joint_names,
        source=source,
    )
    return dataclasses.replace(convert(raw, settings.output_fps, robot), source=source | {"robot": robot.name})
