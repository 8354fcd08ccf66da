"""Motions of a RefNN."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from whole_body_tracking.motion.conversion.readers import RawMotion
from whole_body_tracking.robots import RobotModel

from ..planning.footsteps import check_length, make_path
from ..planning.parameters import PARAMETERS, ParameterSchedule
from .known_parameters import KnownParameters
from .layout import decode
from .planting import planted
from .refnn import RefNN

OMEGA = 3.7
"""Of the pendulum, for the small correction of the path in turns [1/s]."""


def predict_motion(
    model: RefNN,
    robot: RobotModel,
    schedule: ParameterSchedule,
    seconds: float,
    fps: float,
    standing: bool,
    is_planted: bool = True,
) -> RawMotion:
    """A motion of a schedule by a network, one frame of the phase after the other.

    Args:
        model: The network.
        robot: Whose motion it is.
        schedule: Wanted parameters over time.
        seconds: Time from the first to the last frame.
        fps: Frames per second.
        standing: Refused.
        is_planted: Whether the root moves so that standing feet stay, or as the network says, as in the gait task.

    Raises:
        ValueError: If parameters are out of the network's ranges, or a standing start is asked of it.
    """
    if standing:
        raise ValueError("A network knows walking only: leave --standing out, or plan without --model.")
    check_length(schedule, seconds, standing)
    path = make_path(schedule, seconds, OMEGA, standing=False)
    time = np.arange(round(seconds * fps) + 1) / fps
    given = frozenset(("speed", "cadence")).union(*(point.given for point in schedule.points))
    wanted = np.stack([path.at(path.values[name], time) for name in PARAMETERS], axis=-1)
    params = _in_ranges(model, wanted, given)
    phase = 0.5 * path.at(path.phase, time) % 1.0
    with torch.no_grad():
        outputs = model(torch.from_numpy(params).float(), torch.from_numpy(phase).float()).double().numpy()
    motion = decode(outputs, fps)
    lower, upper = robot.joint_pos_limits.T
    motion = replace(motion, joint_pos=motion.joint_pos.clip(lower, upper))
    if is_planted:
        motion = planted(robot, motion, phase, params[:, list(PARAMETERS).index("double_support")])
    return RawMotion(fps, motion.pos, motion.quat, motion.joint_pos, robot.joint_names)


def _in_ranges(model: RefNN, params: np.ndarray, given: frozenset[str]) -> np.ndarray:
    """Parameters, those that nobody gave by the data's conditional mean, checked against what was trained on."""
    names = [name for name in PARAMETERS if name in given]
    columns = [list(PARAMETERS).index(name) for name in names]
    for name, values in zip(names, params[:, columns].T, strict=True):
        low, high = model.facts.parameters[name]
        if values.min() < low - 1e-6 or values.max() > high + 1e-6:
            raise ValueError(
                f"{name} is {values.min():g} to {values.max():g}, and the network was trained on {low:g} to {high:g}"
                f" {PARAMETERS[name].unit}. Stay within, or plan without --model."
            )
    if len(names) == len(PARAMETERS):
        return params
    filled = KnownParameters(model, names)(torch.from_numpy(params[:, columns]).float()).double().numpy()
    filled[:, columns] = params[:, columns]
    return filled
