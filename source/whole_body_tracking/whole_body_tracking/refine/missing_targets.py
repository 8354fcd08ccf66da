"""Joint targets for clips that carry none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import RobotModel

from .channels import JOINT_TARGET
from .inverse_dynamics import inverse_dynamics_targets

_COMPUTED: dict[tuple[str, str], np.ndarray] = {}
"""Targets of this process by robot and digest of the clip: a task loads its clips more than once."""


def with_joint_targets(clips: Iterable[MotionClip], robot: RobotModel) -> list[MotionClip]:
    """Clips that all carry ``joint_target``; those that lack it get the targets of inverse dynamics.

    Args:
        clips: Clips with all bodies of the robot.
        robot: Whose clips they are.

    Raises:
        ValueError: If a clip that lacks them does not fit the robot, the physics rate or the ground.
    """
    return [clip if JOINT_TARGET in clip.channels else _with_computed(clip, robot) for clip in clips]


def _with_computed(clip: MotionClip, robot: RobotModel) -> MotionClip:
    key = robot.name, clip.digest
    if key not in _COMPUTED:
        _COMPUTED[key] = inverse_dynamics_targets(clip, robot).joint_target
    return replace(clip, channels=clip.channels | {JOINT_TARGET: _COMPUTED[key]})
