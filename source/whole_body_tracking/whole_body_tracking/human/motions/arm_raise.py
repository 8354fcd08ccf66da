"""A standing arm raise, made without mocap, so that the commands work on a fresh clone."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from ..model.body import HumanBody
from .motion import HumanMotion, up_and_down

RISE, HOLD, REST = 2.0, 0.5, 0.5
"""Duration of either way, time with the arms up, and time standing before and after [s]."""
LEAN = 0.05
"""How far the body leans forward [rad]: its weight is over the middle of the feet and not over the ankles, from where
it would fall back over the heels."""
ELEVATION = 1.3
"""How far the arms are raised [rad]; 1.57 is level."""


def arm_raise(body: HumanBody, fps: float, elevation: float = ELEVATION) -> HumanMotion:
    """Stand with flat feet and raise both arms to the side and back along minimum-jerk ways.

    Args:
        body: The body; its table names the joints that raise the arms.
        fps: Frames per second.
        elevation: How far [rad]; 0 only stands.
    """
    num_frames = round((2.0 * RISE + HOLD + 2.0 * REST) * fps) + 1
    share = up_and_down(num_frames, fps, RISE, HOLD, REST)
    qpos = np.tile(leaning(body), (num_frames, 1))
    for name, direction in body.table.arm_joints.items():
        joint = body.joint_address(name)
        qpos[:, joint] = body.rest_qpos[joint] + direction * elevation * share
    motion = HumanMotion("arm_raise" if elevation else "stand", fps, body.coordinates.clamp(qpos))
    return motion.raised(-float(body.lowest_soles(motion.qpos[:1])[0]))


def leaning(body: HumanBody, angle: float = LEAN) -> np.ndarray:
    """The rest pose, leaning forward over flat feet by an angle [rad].

    A body whose table names no joints for it stands straight.
    """
    qpos = body.rest_qpos.copy()
    if not body.table.lean_joints:
        return qpos
    for name, direction in body.table.lean_joints.items():
        qpos[body.joint_address(name)] += direction * angle
    turn = Rotation.from_rotvec([0.0, angle, 0.0]) * Rotation.from_quat(qpos[3:7], scalar_first=True)
    qpos[3:7] = turn.as_quat(scalar_first=True)
    return qpos
