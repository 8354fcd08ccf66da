"""Clips from gait parameters, by the planner or by a network: what ``scripts/gait/generate.py`` calls."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from whole_body_tracking.motion import MotionClip, convert
from whole_body_tracking.motion.conversion.readers import RawMotion
from whole_body_tracking.robots import G1, RobotModel

from .analysis.measuring import measure_gait
from .planning.parameters import PARAMETERS, GaitParameters, ParameterSchedule
from .planning.planner import plan_gait

Generator = Callable[[ParameterSchedule, float, float, bool], RawMotion]
"""A motion of a schedule, a length [s], a rate [Hz], and whether it starts and ends at rest."""

COMPARED = ("speed", "cadence", "step_width", "clearance", "double_support", "pelvis_height", "torso_pitch")
COMPARED += ("pelvis_yaw", "arm_swing", "turn_rate", "lateral_speed")


@dataclass(frozen=True)
class GaitRequest:
    """What is wanted."""

    given: Mapping[str, float] = field(default_factory=dict)
    """Gait parameters by name; the others have their defaults."""
    schedule_file: Path | None = None
    """CSV of those that change over time."""
    seconds: float = 20.0
    fps: float = 50.0
    standing: bool = False

    def schedule(self) -> ParameterSchedule:
        """The parameters over time.

        Raises:
            FileNotFoundError: If the file does not exist.
            ValueError: If a parameter is unknown, out of range, not a number, or contradicts the others.
        """
        if self.schedule_file is not None:
            return ParameterSchedule.read_csv(self.schedule_file, self.given)
        return ParameterSchedule.constant(GaitParameters.of(self.given))


def read_generator(model: Path | None = None, robot: RobotModel = G1) -> Generator:
    """The planner, or the network of a file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it does not hold a network of this robot.
    """
    if model is None:
        return partial(_planned, robot)
    from .network.prediction import predict_motion
    from .network.refnn import load_refnn

    return partial(predict_motion, load_refnn(model, robot), robot)


def _planned(robot: RobotModel, schedule: ParameterSchedule, seconds: float, fps: float, standing: bool) -> RawMotion:
    return plan_gait(schedule, seconds, fps, robot, standing).motion()


def generate_clip(request: GaitRequest, generator: Generator, robot: RobotModel = G1) -> MotionClip:
    """Make the clip of a request; its ``source`` says from which parameters.

    Raises:
        ValueError: If the parameters are not possible; the message says what is allowed.
    """
    if not (math.isfinite(request.fps) and 10.0 <= request.fps <= 240.0):
        raise ValueError(f"--output_fps is {request.fps:g}, allowed are 10 to 240.")
    schedule = request.schedule()
    raw = generator(schedule, request.seconds, request.fps, request.standing)
    points = [{k: v for k, v in point.values.items() if math.isfinite(v)} for point in schedule.points]
    source = {"gait": {"times": schedule.times.tolist(), "parameters": points, "standing": request.standing}}
    json.dumps(source)
    raw = RawMotion(raw.fps, raw.root_pos, raw.root_quat, raw.joint_pos, raw.joint_names, raw.source | source)
    return convert(raw, request.fps, robot)


def comparison_lines(
    request: GaitRequest, clip: MotionClip, robot: RobotModel = G1, by_network: bool = False
) -> list[str]:
    """Wanted beside measured parameters of a clip, as a table for a terminal.

    Args:
        request: What was wanted.
        clip: What came out.
        robot: Whose clip it is.
        by_network: Whether a network made it, which takes what nobody gave from its data instead of the defaults.
    """
    schedule, report = request.schedule(), measure_gait(clip, robot)
    if not report.cycles:
        return ["No gait cycle found in the clip: is it too short, or does nobody walk?"]
    lines = [f"{'':<16}{'wanted':>10}{'measured':>10}"]
    for name in (*COMPARED[:2], "stride_length", *COMPARED[2:]):
        wanted = [p.stride_length if name == "stride_length" else p[name] for p in schedule.points]
        text = "highest" if math.isnan(wanted[0]) else f"{wanted[0]:.3f}"
        if len(set(wanted)) > 1:
            text = "changes"
        elif by_network and name not in {"stride_length", "speed", "cadence"} | schedule.points[0].given:
            text = "as data"
        unit = "m" if name == "stride_length" else PARAMETERS[name].unit
        lines.append(f"{name:<16}{text:>10}{report.mean(name):>10.3f} {unit}")
    lines.append(
        f"slip {1000.0 * report.mean('slip'):.1f} mm, penetration {1000.0 * report.mean('penetration'):.1f} mm,"
        f" zero-moment point inside the soles in {100.0 * report.mean('zmp_inside'):.1f} % of the frames"
    )
    return lines
