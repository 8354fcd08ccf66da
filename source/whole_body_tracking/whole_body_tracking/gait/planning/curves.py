"""Curves of feet, pelvis, waist and arms over the frames of a plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whole_body_tracking.robots import RobotModel

from .footsteps import Footsteps, Path

ELBOW_SHARE = 0.3
"""Range of the elbows over that of the shoulders."""

HEEL_REST = 0.1
"""Share of the time on both feet in which the heel of the rear one stays down."""
HEEL_EARLY = 0.75
"""Exponent that puts the highest heel into the first half of the swing."""


def minimum_jerk(share: np.ndarray) -> np.ndarray:
    """0 to 1 with zero speed and acceleration at both ends: 10 u^3 - 15 u^4 + 6 u^5."""
    u = np.clip(share, 0.0, 1.0)
    return u**3 * (10.0 - 15.0 * u + 6.0 * u * u)


def lift(share: np.ndarray) -> np.ndarray:
    """0 to 1 and back with zero speed and acceleration at both ends: 64 u^3 (1 - u)^3."""
    u = np.clip(share, 0.0, 1.0)
    return 64.0 * (u * (1.0 - u)) ** 3


@dataclass(frozen=True)
class FootCurves:
    """Both feet over time, left first."""

    place: np.ndarray
    """Middle of the sole if it were flat [m], shape [num_frames, 2, 2]."""
    height: np.ndarray
    """Height of the lowest point of the sole, which is the toe's [m], shape [num_frames, 2]."""
    yaw: np.ndarray
    """[rad], shape [num_frames, 2]."""
    pitch: np.ndarray
    """Turn about the toe, heel up [rad], shape [num_frames, 2]."""


def foot_curves(steps: Footsteps, time: np.ndarray) -> FootCurves:
    """Feet that stand flat, lift their heel while the other foot takes over, and swing with the toe lowest.

    Args:
        steps: The footsteps.
        time: Frames [s], shape [num_frames].
    """
    current = np.clip(np.searchsorted(steps.start, time, side="right") - 1, 1, len(steps.start) - 2)
    next_start = steps.start[current + 1]
    share = (time - steps.swing_start[current]) / (next_start - steps.swing_start[current])
    heel_up = steps.start[current] + HEEL_REST * (steps.swing_start[current] - steps.start[current])
    heel_share = np.clip((time - heel_up) / (next_start - heel_up), 0.0, 1.0) ** HEEL_EARLY
    way, frames = minimum_jerk(share), np.arange(len(time))
    place, (height, yaw, pitch) = np.zeros((len(time), 2, 2)), np.zeros((3, len(time), 2))
    standing = np.where(steps.left[current], 0, 1)
    swinging = 1 - standing
    place[frames, standing], yaw[frames, standing] = steps.place[current], steps.yaw[current]
    before, after = steps.place[current - 1], steps.place[current + 1]
    place[frames, swinging] = before + way[:, None] * (after - before)
    height[frames, swinging] = steps.clearance[current] * lift(share)
    pitch[frames, swinging] = steps.heel[current] * lift(heel_share)
    yaw[frames, swinging] = steps.yaw[current - 1] + way * (steps.yaw[current + 1] - steps.yaw[current - 1])
    return FootCurves(place, height, yaw, pitch)


def posture(robot: RobotModel, path: Path, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joints that the legs do not decide, and the turn of the pelvis.

    The pelvis turns with the leg that is in front, the waist turns back, and the arms swing against the legs:
    harmonics of the step's phase, designed by hand.

    Returns:
        Joint positions [rad], shape [num_frames, num_joints], and the pelvis' yaw in the world [rad], [num_frames].
    """
    values = {name: path.at(series, time) for name, series in path.values.items()}
    moving = _moving(path, time)
    wave = np.cos(np.pi * path.at(path.phase, time)) * moving
    joint_pos = np.tile(robot.default_joint_pos, (len(time), 1))
    turn = -values["pelvis_yaw"] * wave
    offsets = {
        "waist_yaw_joint": -turn,
        "waist_pitch_joint": values["torso_pitch"],
        "left_shoulder_pitch_joint": 0.5 * values["arm_swing"] * wave,
        "right_shoulder_pitch_joint": -0.5 * values["arm_swing"] * wave,
        "left_elbow_joint": -0.5 * ELBOW_SHARE * values["arm_swing"] * wave,
        "right_elbow_joint": 0.5 * ELBOW_SHARE * values["arm_swing"] * wave,
    }
    for name, offset in offsets.items():
        joint_pos[:, robot.joint_names.index(name)] += offset
    return joint_pos, path.at(path.heading, time) + turn


def _moving(path: Path, time: np.ndarray) -> np.ndarray:
    """Share of the arms' swing: none while the robot stands, shape [num_frames]."""
    start, end = path.moves
    if not np.isfinite(start):
        return np.ones_like(time)
    return minimum_jerk((time - start) / 1.0) * minimum_jerk((end - time) / 1.0)
