"""When a robot that should walk has fallen."""

from __future__ import annotations

import math

from torch import Tensor

FALL_HEIGHT = 0.5
"""Height of the root link below which the robot has fallen [m]; the G1 stands at 0.76."""
FALL_TILT = 0.8
"""Angle between the root link's up axis and the vertical beyond which the robot has fallen [rad]."""


def has_fallen(root_height: Tensor, root_up_z: Tensor) -> Tensor:
    """Whether the root is too low or too far tilted, shape [...]; a state that is not finite has fallen.

    Args:
        root_height: Height of the root link above the ground [m], shape [...].
        root_up_z: Vertical part of the root link's up axis, the cosine of the tilt, shape [...].
    """
    return ~((root_height >= FALL_HEIGHT) & (root_up_z >= math.cos(FALL_TILT)))
