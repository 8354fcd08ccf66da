"""Measure a model on the clips of a split: what ``scripts/pretrain/eval_motion.py`` calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from whole_body_tracking.robots import RobotModel, get_robot

from .checkpoint import load_model, read_model_file
from .data.splits import Split
from .measuring.rollouts import TestWindows, all_rollouts, cut_windows, measure
from .measuring.windows_of_vae import measure_vae
from .motion_model import MotionModel
from .networks.modes import SCORE
from .state import StateLayout
from .vae import MotionVAE


@dataclass(frozen=True)
class EvaluationJob:
    """What to measure, and on which clips."""

    model_file: Path
    split_file: Path
    role: str = "test"
    """Clips to measure on: ``test`` or ``validation``."""
    num_frames: int = 500
    num_windows: int = 64
    precision: str = "fp32"
    temperature: float = 0.1
    """Of the rollouts that are drawn beside the mean ones; 0 draws none."""

    def __post_init__(self):
        for name in ("num_frames", "num_windows"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} is {getattr(self, name)}, expected at least 1.")
        if not self.temperature >= 0.0:
            raise ValueError(f"--temperature is {self.temperature}, expected at least 0.")


@dataclass(frozen=True)
class EvaluationResult:
    """Numbers, and what they were computed from."""

    content: dict
    """Plain values under stable keys."""
    layout: StateLayout
    robot: RobotModel
    windows: TestWindows
    rollouts: dict[str, Tensor] = field(default_factory=dict)
    """Of the model and of the baselines by name; empty for a VAE."""


def run_evaluation(job: EvaluationJob, report: Callable[[], None] = lambda: None) -> EvaluationResult:
    """Predict and measure.

    Args:
        job: What to do.
        report: Called after each predicted frame; those of drawn rollouts come after the others.

    Raises:
        FileNotFoundError: If a file or a clip is gone.
        ValueError: If the model was trained on another split, clips have changed, or none is long enough.
    """
    _, metadata = read_model_file(job.model_file)
    if metadata["network"]["mode"] == SCORE:
        raise ValueError(
            f"{job.model_file} is a score prior, which predicts no states. train_score_prior.py has measured it:"
            " score_table.json."
        )
    split = Split.load(job.split_file)
    if metadata["training"]["data"] != split.digest:
        raise ValueError(
            f"{job.model_file} was trained on other clips than {job.split_file} lists. Give the split file beside it."
        )
    entries = split.entries(job.role)
    if not entries:
        raise ValueError(f"{job.split_file} has no {job.role} clips. Measure the held-out ones with --use_test_set.")
    model = load_model(job.model_file)
    robot = get_robot(model.layout.robot_name)
    facts = {"mode": model.settings.mode, "fps": model.layout.fps, "clips": [e.name for e in entries], "role": job.role}
    if isinstance(model, MotionVAE):
        windows = cut_windows(entries, model.layout, 1, model.window, job.num_windows)
        return EvaluationResult(measure_vae(model, windows) | facts, model.layout, robot, windows)
    windows = cut_windows(entries, model.layout, _context(model), job.num_frames, job.num_windows)
    rollouts = all_rollouts(model, windows, job.precision, report, job.temperature)
    content = measure(rollouts, windows, model.layout, robot) | facts
    return EvaluationResult(content, model.layout, robot, windows, rollouts)


def _context(model: MotionModel) -> int:
    """All models see the same windows' ends, so that their tables can be compared."""
    return max(model.context, model.settings.context)
