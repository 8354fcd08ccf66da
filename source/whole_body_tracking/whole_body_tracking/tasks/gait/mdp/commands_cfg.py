"""Configuration of the gait command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isaaclab.utils import configclass

from whole_body_tracking.gait.network.reference import BLEND_TIME
from whole_body_tracking.tasks.tracking.mdp.reference.reference_command_cfg import ReferenceCommandCfg

if TYPE_CHECKING:
    from .commands import GaitCommand

STEERED = ("speed", "cadence", "turn_rate")
"""Parameters that a controller of an exported policy gives."""


@configclass
class GaitCommandCfg(ReferenceCommandCfg):
    """Configuration of the walk to track."""

    class_type: type[GaitCommand] | str = "{DIR}.commands:GaitCommand"

    model_file: str = ""
    """RefNN of ``scripts/gait/train_forward_gaitnet.py``."""

    fixed: dict[str, float] = {}
    """Parameters that are not drawn, by name, in their units."""

    change_interval: tuple[float, float] = (2.0, 5.0)
    """Time after which other parameters are wanted [s], drawn anew each time. Raise it for steadier walks."""

    blend_time: float = BLEND_TIME
    """Time constant with which the reference goes over to them [s]."""

    random_phase: bool = True
    """Whether episodes start anywhere in the cycle, or at the left foot's touchdown."""

    steered: list[str] = list(STEERED)
    """Parameters that the exported policy takes; the others are the data's conditional mean, in the file."""
