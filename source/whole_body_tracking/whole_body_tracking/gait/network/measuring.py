"""How well a RefNN walks: errors and slip on gaits that it was not trained on, and how fast it is."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch

from whole_body_tracking.motion import convert
from whole_body_tracking.robots import RobotModel

from ..analysis.measuring import measure_gait
from ..planning.parameters import PARAMETERS, GaitParameters, ParameterSchedule
from .dataset import DataSet
from .prediction import predict_motion
from .refnn import RefNN, load_refnn
from .training import held_out_errors, held_out_frames, is_held_out

BATCH = 1024
FPS = 50.0
SLOWEST = 0.1
"""Errors of slower walks are relative to this speed [m/s]: hardly anything is a large part of nothing."""


def measure_refnn(model_file: Path, data_dir: Path, robot: RobotModel, num_gaits: int, seconds: float = 6.0) -> dict:
    """Measure a RefNN on the gaits of a data set that :func:`.train_refnn` holds out.

    Args:
        model_file: The network.
        data_dir: Data set of ``augment.py``.
        robot: Whose they are.
        num_gaits: Gaits to predict as clips, at most as many as are held out.
        seconds: Length of a clip.

    Returns:
        ``joint_rmse`` [rad], ``height_rmse`` [m] and ``velocity_rmse`` [m/s] over all held-out frames; ``slip`` and
        ``penetration`` [m], the largest and the median over the clips; errors of speed and cadence as in
        :func:`relative_errors` and absolute ones of step width and clearance [m], the largest over the clips; the same
        with ``tracked_`` before their names for walks whose feet are not planted, as the gait task tracks them; None
        for what nobody walked;
        ``frames_per_second`` of the network alone per second that a core worked, which other processes do not slow.

    Raises:
        FileNotFoundError: If there is no such network or data set.
        ValueError: If they are of another robot, or no gait is held out.
    """
    model, data = load_refnn(model_file, robot), DataSet.open(data_dir, robot)
    rows = np.concatenate([part[is_held_out(len(part))] for part in (data.read(path)[1] for path in data.files)])
    reports = [_walk(model, robot, row, seconds) for row in rows[:num_gaits]]
    as_tracked = [_walk(model, robot, row, seconds, is_planted=False) for row in rows[:num_gaits]]
    result = held_out_errors(model, *held_out_frames(data)) | {"num_gaits": len(reports)} | _worst(reports, "")
    return result | _worst(as_tracked, "tracked_") | {"frames_per_second": frames_per_second(model)}


def _worst(reports: list[dict[str, float]], prefix: str) -> dict[str, float | int | None]:
    """Number of walks, largest and median errors of those that are; None where nobody walks."""
    walking = [report for report in reports if report]
    result = {f"{prefix}num_walking": len(walking)}
    for name in ("slip", "penetration"):
        values = [report[name] for report in walking]
        result[f"{prefix}{name}_max"] = max(values, default=None)
        result[f"{prefix}{name}_median"] = float(np.median(values)) if values else None
    for name in ("speed", "cadence", "step_width", "clearance"):
        result[f"{prefix}{name}_error_max"] = max((report[f"{name}_error"] for report in walking), default=None)
    return result


def _walk(
    model: RefNN, robot: RobotModel, params: np.ndarray, seconds: float, is_planted: bool = True
) -> dict[str, float]:
    """Measures of a predicted walk and their errors; empty if nobody walks in it."""
    low, high = model.low.double().numpy(), model.high.double().numpy()
    wanted = dict(zip(PARAMETERS, params.astype(np.float64).clip(low, high).tolist(), strict=True))
    schedule = ParameterSchedule.constant(GaitParameters.of(wanted))
    motion = predict_motion(model, robot, schedule, seconds, FPS, False, is_planted)
    report = measure_gait(convert(motion, FPS, robot), robot)
    if not report.cycles:
        return {}
    found = {name: report.mean(name) for name in ("slip", "penetration", "speed", "cadence", "step_width", "clearance")}
    errors = {f"{name}_error": abs(found[name] - wanted[name]) for name in ("step_width", "clearance")}
    return found | errors | relative_errors(found, wanted)


def relative_errors(found: dict[str, float], wanted: dict[str, float]) -> dict[str, float]:
    """Differences over what was wanted; that of the speed over :data:`SLOWEST` at least."""
    units = {"speed": max(abs(wanted["speed"]), SLOWEST), "cadence": wanted["cadence"]}
    return {f"{name}_error": abs(found[name] - wanted[name]) / unit for name, unit in units.items()}


@torch.no_grad()
def frames_per_second(model: RefNN, seconds: float = 1.0) -> float:
    """Frames that the network alone predicts per second of one core's time, in batches of :data:`BATCH`."""
    params = (0.5 * (model.low + model.high)).expand(BATCH, -1).contiguous()
    phase = torch.linspace(0.0, 1.0, BATCH)
    model(params, phase)
    count, started = 0, time.process_time()
    while time.process_time() - started < seconds:
        model(params, phase)
        count += BATCH
    return count / (time.process_time() - started)
