"""Short clips for the tests of refinement."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip, RawMotion, convert, read_csv
from whole_body_tracking.motion.sources.motion_entries import cut
from whole_body_tracking.robots import G1

MOTIONS = Path(__file__).parents[3] / "motions"


@lru_cache
def shipped(name: str) -> MotionClip:
    return convert(read_csv(MOTIONS / f"{name}.csv", fps=30), output_fps=50)


def squat() -> MotionClip:
    return MotionClip.load(DEFAULT_MOTION_FILE)


def squat_part(num_frames: int) -> MotionClip:
    """The way down: from frame 41 of the squat on."""
    return cut(squat(), 41, 40 + num_frames, name="squat_part")


def standing(num_frames: int = 61, fps: float = 50.0, height: float = G1.default_root_height) -> MotionClip:
    """The default pose, upright and at rest."""
    quat = np.tile((0.0, 0.0, 0.0, 1.0), (num_frames, 1))
    root = np.tile((0.0, 0.0, height), (num_frames, 1))
    joints = np.tile(G1.default_joint_pos, (num_frames, 1))
    return convert(RawMotion(fps, root, quat, joints, G1.joint_names), output_fps=fps)
