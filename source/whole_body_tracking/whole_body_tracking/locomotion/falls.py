"""When a robot that should walk has fallen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

FALL_HEIGHT = 0.5
"""Height of the root link below which the robot has fallen [m]; the G1 stands at 0.76."""
FALL_TILT = 0.8
"""Angle between the root link's up axis and the vertical beyond which the robot has fallen [rad]."""
FALL_UP_Z = math.cos(FALL_TILT)
"""Vertical part of the root's up axis at this angle."""


def has_fallen(
    root_height: Tensor,
    root_up_z: Tensor,
    min_height: float | Tensor = FALL_HEIGHT,
    min_up_z: float | Tensor = FALL_UP_Z,
) -> Tensor:
    """Whether the root is too low or too far tilted, shape [...]; a state that is not finite has fallen.

    Args:
        root_height: Height of the root link above the ground [m], shape [...].
        root_up_z: Vertical part of the root link's up axis, the cosine of the tilt, shape [...].
        min_height: Smallest height of a robot that is up [m].
        min_up_z: Cosine of its largest tilt.
    """
    return ~((root_height >= min_height) & (root_up_z >= min_up_z))
