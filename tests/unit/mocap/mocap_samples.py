"""A walking person for tests: a skeleton with common joint names, y up, in centimetres, facing +z in the rest pose."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from whole_body_tracking.mocap import SkeletonMotion

REPOSITORY = Path(__file__).parents[3]

BONES = {
    "Hips": (None, (0, 0, 0)),
    "LeftUpLeg": ("Hips", (10, -4, 0)),
    "LeftLeg": ("LeftUpLeg", (0, -42, 0)),
    "LeftFoot": ("LeftLeg", (0, -41, 0)),
    "LeftToeBase": ("LeftFoot", (0, -6, 14)),
    "RightUpLeg": ("Hips", (-10, -4, 0)),
    "RightLeg": ("RightUpLeg", (0, -42, 0)),
    "RightFoot": ("RightLeg", (0, -41, 0)),
    "RightToeBase": ("RightFoot", (0, -6, 14)),
    "Spine": ("Hips", (0, 12, 0)),
    "Chest": ("Spine", (0, 14, 0)),
    "Neck": ("Chest", (0, 24, 0)),
    "Head": ("Neck", (0, 10, 0)),
    "LeftArm": ("Chest", (17, 20, 0)),
    "LeftForeArm": ("LeftArm", (28, 0, 0)),
    "LeftHand": ("LeftForeArm", (25, 0, 0)),
    "RightArm": ("Chest", (-17, 20, 0)),
    "RightForeArm": ("RightArm", (-28, 0, 0)),
    "RightHand": ("RightForeArm", (-25, 0, 0)),
}
LEG = 83.0
"""Thigh and shank [cm]."""
ANKLE_HEIGHT = 8.0
"""Height of the ankle in stance [cm]."""


def walking_person(seconds: float = 2.0, fps: float = 100.0) -> SkeletonMotion:
    """Walk at 1 m/s along +z, one step per half second: each ankle rests for half of a cycle and swings for the other.

    The legs are placed by the law of cosines from where hip and ankle are; feet stay level; arms hang and swing.
    """
    time = np.arange(round(seconds * fps) + 1) / fps
    names = tuple(BONES)
    parents = tuple(names.index(parent) if parent else -1 for parent, _ in BONES.values())
    offsets = np.array([offset for _, offset in BONES.values()], dtype=float)
    root = np.stack((0 * time, 0 * time + LEG + ANKLE_HEIGHT + 4 - 3.0, 100.0 * time), axis=-1)
    turns = {name: Rotation.identity(len(time)) for name in names}
    for side, phase in (("Left", 0.0), ("Right", 0.5)):
        ahead, height = _ankle(time, phase)
        hip, knee = _leg(root[:, 2], root[:, 1] - 4, ahead, height + ANKLE_HEIGHT)
        turns[f"{side}UpLeg"] = _about_x(-hip)
        turns[f"{side}Leg"] = _about_x(knee)
        turns[f"{side}Foot"] = _about_x(hip - knee)
        sign = 1.0 if side == "Left" else -1.0
        swing = _about_x(0.3 * np.sin(2 * np.pi * (time + phase)))
        turns[f"{side}Arm"] = swing * Rotation.from_euler("z", -sign * 1.35)
    local = np.stack([turns[name].as_quat() for name in names], axis=1)
    return SkeletonMotion(fps, names, parents, offsets, local, root)


def _about_x(angles):
    return Rotation.from_rotvec(np.stack((angles, 0 * angles, 0 * angles), axis=-1))


def _ankle(time, phase):
    """Place along the way and height above stance of an ankle [cm]; the cycle is one second."""
    cycle = (time + phase) % 1.0
    started = np.floor(time + phase) - phase
    swing = np.clip((cycle - 0.5) / 0.5, 0.0, 1.0)
    smooth = swing**3 * (10 - 15 * swing + 6 * swing**2)
    rest = 100.0 * (started + 0.25)  # where it stands in the first half of the cycle: the hip passes in its middle
    return rest + 100.0 * smooth, 12.0 * np.sin(np.pi * swing) ** 2


def _leg(hip_z, hip_y, ankle_z, ankle_y):
    """Angles of hip (thigh forwards) and knee [rad] that put the ankle there; thigh 42, shank 41."""
    along, down = ankle_z - hip_z, hip_y - ankle_y
    distance = np.minimum(np.hypot(along, down), LEG - 1e-6)
    inner = np.arccos((42.0**2 + 41.0**2 - distance**2) / (2 * 42.0 * 41.0))
    lift = np.arccos((42.0**2 + distance**2 - 41.0**2) / (2 * 42.0 * distance))
    return np.arctan2(along, down) + lift, np.pi - inner


def shared_mocap() -> Path:
    """Folder of real mocap; the test is skipped where there is none."""
    folder = Path(os.environ.get("WBT_SHARED_MOTIONS", REPOSITORY.parent / "shared" / "motions")) / "mocap"
    if not folder.is_dir():
        pytest.skip("no shared mocap; set WBT_SHARED_MOTIONS")
    return folder
