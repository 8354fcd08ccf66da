"""Configuration of the commands of the modes task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isaaclab.envs.mdp import UniformVelocityCommandCfg
from isaaclab.utils import configclass

from whole_body_tracking.tasks.tracking.mdp import MotionCommandCfg

if TYPE_CHECKING:
    from .mode_commands import ModeMotionCommand, ModeVelocityCommand


@configclass
class ModeMotionCommandCfg(MotionCommandCfg):
    """Modes, how long each lasts, and the clips that some perform."""

    class_type: type[ModeMotionCommand] | str = "{DIR}.mode_commands:ModeMotionCommand"

    modes: list[str] = ["stand", "walk", "turn", "squat"]
    """Modes of the policy, in the order of their one-hot observation: ``stand``, ``walk``, ``turn``, ``squat``, which
    is the package's, and ``NAME=FILE.npz`` for other clips. Their files become ``motion_files``."""

    motion_files: list[str] = []
    """The clips of the modes; left empty, for they follow from ``modes``."""

    mode_time: tuple[float, float] = (3.0, 6.0)
    """How long a mode without a clip lasts, drawn uniformly [s]."""

    clip_pause: tuple[float, float] = (0.5, 1.5)
    """How long the last pose of a clip is held before another mode begins [s]."""

    standing_starts: float = 0.5
    """Share of the episodes beginning with a clip that start standing at its first frame, as a deployed robot does; the
    others start in one of its frames. Episodes of other modes start standing."""


@configclass
class ModeVelocityCommandCfg(UniformVelocityCommandCfg):
    """A velocity command drawn as the mode says."""

    class_type: type[ModeVelocityCommand] | str = "{DIR}.mode_commands:ModeVelocityCommand"

    motion_name: str = "motion"
    """Command that holds the modes."""
