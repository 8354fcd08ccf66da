"""Samples of a data set from walks that were recorded: their cycles, measured, played a little faster or slower."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import torch
from scipy.spatial.transform import Rotation, Slerp

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.geometry.kinematics import forward_kinematics
from whole_body_tracking.robots import RobotModel

from ..analysis.contacts import find_stances, sole_motion
from ..analysis.cycles import Window, walking_windows
from ..analysis.measuring import Cycle, measure_gait
from ..dynamics import ground_reaction
from ..feasibility import is_carried, root_residual
from ..planning.parameters import PARAMETERS
from .dataset import FPS, NUM_FRAMES, GaitSample
from .layout import RootMotion, encode

FACTORS = (0.9, 1.0, 1.1)
"""Speeds at which a cycle is played. Forces grow with the square, so larger changes are not the same movement."""
FASTER = ("speed", "lateral_speed", "cadence", "turn_rate")
"""Parameters that grow with the factor; the others are lengths and angles."""
SMOOTHING = 1.0
"""Gaussian over the momentum of a recording before it is differentiated [frames]."""


def warped_samples(clip: MotionClip, robot: RobotModel, refused: Counter) -> Iterator[GaitSample]:
    """Samples that begin with each left touchdown after which the clip walks on for long enough.

    Args:
        clip: A recorded walk.
        robot: Whose clip it is.
        refused: Counts what is out of the parameters' ranges or beyond what the ground can give.
    """
    soles = sole_motion(clip, robot)
    cycles = measure_gait(clip, robot).cycles
    for window in walking_windows(find_stances(soles)):
        touchdowns = np.array([stance.start for stance in window.stances if stance.foot == 0])
        for start in touchdowns:
            for factor in FACTORS:
                span = (start, start + factor * NUM_FRAMES / FPS)
                if span[1] > touchdowns[-1]:
                    continue
                sample = _warped(clip, robot, soles.floor, _within(cycles, window, span), touchdowns, start, factor)
                if isinstance(sample, str):
                    refused[sample] += 1
                else:
                    yield sample


def _within(cycles: list[Cycle], window: Window, span: tuple[float, float]) -> list[Cycle]:
    own = [cycle for cycle in cycles if window.start <= cycle.start and cycle.end <= window.end]
    return [cycle for cycle in own if cycle.end > span[0] and cycle.start < span[1]]


def _warped(
    clip: MotionClip,
    robot: RobotModel,
    floor: float,
    cycles: list[Cycle],
    touchdowns: np.ndarray,
    start: float,
    factor: float,
) -> GaitSample | str:
    """One sample, or why there is none."""
    params = np.array([np.mean([getattr(cycle, name) for cycle in cycles]) for name in PARAMETERS])
    params *= [factor if name in FASTER else 1.0 for name in PARAMETERS]
    outside = [
        name
        for name, value in zip(PARAMETERS, params, strict=True)
        if not PARAMETERS[name].low <= value <= PARAMETERS[name].high
    ]
    if outside:
        return f"{outside[0]} out of range"
    time = start + factor * np.arange(NUM_FRAMES) / FPS
    motion = _resampled(clip, robot, time, floor)
    if not is_carried(_residual(motion, robot)):
        return "root residual"
    yaw = np.unwrap(Rotation.from_quat(motion.quat).as_euler("zyx")[:, 0])
    clock = np.arange(NUM_FRAMES)
    heading = np.polyval(np.polyfit(clock, yaw, 1), clock)
    phase = np.interp(time, touchdowns, np.arange(len(touchdowns))) % 1.0
    return GaitSample(encode(motion, heading, FPS), params, phase)


def _resampled(clip: MotionClip, robot: RobotModel, time: np.ndarray, floor: float) -> RootMotion:
    """Root and joints of a clip at other times, put on the ground."""
    clock = np.arange(clip.num_frames) / clip.fps
    joints = clip.joint_pos[:, clip.joint_indices(robot.joint_names)].astype(np.float64)
    root = clip.body_indices(robot.body_names[:1])[0]
    quat = Slerp(clock, Rotation.from_quat(clip.body_quat_w[:, root]))(time).as_quat()
    pos = np.stack([np.interp(time, clock, column) for column in clip.body_pos_w[:, root].T], axis=-1)
    return RootMotion(
        pos - [0.0, 0.0, floor], quat, np.stack([np.interp(time, clock, column) for column in joints.T], axis=-1)
    )


def _residual(motion: RootMotion, robot: RobotModel) -> np.ndarray:
    pose = (torch.from_numpy(np.ascontiguousarray(v)) for v in (motion.pos, motion.quat, motion.joint_pos))
    pos, quat = forward_kinematics(robot, *pose)
    feet = [robot.body_names.index(name) for name in robot.foot_body_names]
    reaction = ground_reaction(robot, pos, quat, FPS, SMOOTHING)
    return root_residual(robot, reaction, motion.pos, pos[:, feet].numpy(), quat[:, feet].numpy())
