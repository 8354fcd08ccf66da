"""Frozen priors for rewards: the right kind, of the right robot, at a rate that divides the control rate."""

from __future__ import annotations

from pathlib import Path

from whole_body_tracking.robots import RobotModel

from ..checkpoint import load_model
from ..motion_model import MotionModel
from ..state import StateLayout
from .score_prior import ScorePrior


def load_score_prior(path: str | Path) -> ScorePrior:
    """Read a score prior, frozen.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged or another kind of model.
    """
    model = load_model(path)
    if not isinstance(model, ScorePrior):
        raise ValueError(
            f"{path} is a {model.settings.mode}, expected a score prior. Make one with"
            " scripts/pretrain/train_score_prior.py."
        )
    return model.requires_grad_(False)


def load_predictor(path: str | Path) -> MotionModel:
    """Read a MotionNN that predicts states and knows how well, frozen.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, another kind of model, or was trained without validation clips.
    """
    model = load_model(path)
    if not isinstance(model, MotionModel):
        raise ValueError(
            f"{path} is a {model.settings.mode}, which predicts no states. Make a MotionNN with"
            " scripts/pretrain/train_motion.py."
        )
    if not (model.residual_std > 0.0).all():
        raise ValueError(
            f"{path} does not say what it misses in clips, which is the unit of the reward: it was trained without"
            " validation clips. Train it on at least three clips that are not held out."
        )
    return model.requires_grad_(False)


def steps_per_frame(path: str | Path, layout: StateLayout, robot: RobotModel, control_rate: float) -> int:
    """Control steps from one state of a prior to the next.

    Args:
        path: File of the prior, for messages.
        layout: Its layout.
        robot: Robot of the task.
        control_rate: Steps of the environment per second [Hz].

    Raises:
        ValueError: If the prior is of another robot, of other joints, or of a rate that does not divide the control
            rate.
    """
    if layout.robot_name != robot.name:
        raise ValueError(f"{path} is a prior of the robot {layout.robot_name}, this task's is {robot.name}.")
    if sorted(layout.joint_names) != sorted(robot.joint_names):
        differing = sorted(set(layout.joint_names) ^ set(robot.joint_names))
        raise ValueError(
            f"{path} has another layout: {differing} are joints of the prior or of {robot.name}, and not of both. Train"
            " it again on clips of this robot."
        )
    ratio = control_rate / layout.fps
    if abs(ratio - round(ratio)) > 1e-3 or ratio < 0.999:
        fits = [f"{control_rate / divisor:g}" for divisor in (1, 2)]
        raise ValueError(
            f"{path} was trained at {layout.fps:g} fps, which does not divide the control rate of {control_rate:g} Hz."
            f" Train it on clips that were converted with --output_fps {' or '.join(fits)}."
        )
    return round(ratio)
