"""Motions of a RefNN."""

from __future__ import annotations

import numpy as np
import torch

from whole_body_tracking.motion.conversion.readers import RawMotion
from whole_body_tracking.robots import RobotModel

from ..planning.footsteps import check_length, make_path
from ..planning.parameters import PARAMETERS, ParameterSchedule
from .layout import decode
from .refnn import RefNN
from .training import fit_features

OMEGA = 3.7
"""Of the pendulum, for the small correction of the path in turns [1/s]."""


def predict_motion(
    model: RefNN, robot: RobotModel, schedule: ParameterSchedule, seconds: float, fps: float, standing: bool
) -> RawMotion:
    """A motion of a schedule by a network, one frame of the phase after the other.

    Raises:
        ValueError: If parameters are out of the network's ranges, or a standing start is asked of it.
    """
    if standing:
        raise ValueError("A network knows walking only: leave --standing out, or plan without --model.")
    check_length(schedule, seconds, standing)
    path = make_path(schedule, seconds, OMEGA, standing=False)
    time = np.arange(round(seconds * fps) + 1) / fps
    params = _in_ranges(model, np.stack([path.at(path.values[name], time) for name in PARAMETERS], axis=-1))
    phase = 0.5 * path.at(path.phase, time) % 1.0
    with torch.no_grad():
        outputs = model(torch.from_numpy(params).float(), torch.from_numpy(phase).float()).double().numpy()
    motion = decode(outputs, fps)
    lower, upper = robot.joint_pos_limits.T
    return RawMotion(fps, motion.pos, motion.quat, motion.joint_pos.clip(lower, upper), robot.joint_names)


def _in_ranges(model: RefNN, params: np.ndarray) -> np.ndarray:
    """Parameters with a pelvis height, checked against what the network was trained on."""
    height = list(PARAMETERS).index("pelvis_height")
    unknown = np.isnan(params[:, height])
    if unknown.any():
        low, high = model.facts.parameters["pelvis_height"]
        fitted = fit_features(params[unknown]) @ np.array(model.facts.training["pelvis_height"])
        params[unknown, height] = fitted.clip(low, high)
    for column, (name, (low, high)) in enumerate(model.facts.parameters.items()):
        values = params[:, column]
        if values.min() < low - 1e-6 or values.max() > high + 1e-6:
            raise ValueError(
                f"{name} is {values.min():g} to {values.max():g}, and the network was trained on {low:g} to {high:g}"
                f" {PARAMETERS[name].unit}. Stay within, or plan without --model."
            )
    return params
