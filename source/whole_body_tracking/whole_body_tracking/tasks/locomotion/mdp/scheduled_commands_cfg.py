"""Configuration of the commands of the schedule task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isaaclab.envs.mdp import UniformVelocityCommandCfg
from isaaclab.utils import configclass

from whole_body_tracking.tasks.tracking.mdp import MotionCommandCfg

if TYPE_CHECKING:
    from .scheduled_commands import GuidedVelocityCommand, ScheduledMotionCommand


@configclass
class ScheduledMotionCommandCfg(MotionCommandCfg):
    """A reference whose weight falls phase by phase."""

    class_type: type[ScheduledMotionCommand] | str = "{DIR}.scheduled_commands:ScheduledMotionCommand"

    phase_weights: list[float] = [1.0, 0.5, 0.1, 0.0]
    """Weight of the reference in each phase: factor on the tracking rewards, and share of episodes that show it."""

    phase_success: float = 0.8
    """Share of episodes without a failure that opens the next phase."""

    phase_min_episodes: int = 1000
    """Episodes of a phase that are judged at least, and over which older ones are forgotten."""

    phase_settle_steps: int = 500
    """First environment steps of a phase whose episodes do not count."""

    phase_check_every: int = 240
    """Environment steps between two looks at the success."""

    phase_steps: list[int] | None = None
    """Environment steps at which each phase but the first begins; None goes by success. Training in several processes
    needs them, since each counts its own episodes."""

    first_phase: int = 0
    """Phase of a new run; -1 is the last, as in play."""

    standing_starts: float = 0.5
    """Share of episodes without a reference that start standing in the default pose; the others start in a frame."""

    hidden_terms: list[str] = []
    """Observations that show the reference; the exported policy of the last phase lacks them."""


@configclass
class GuidedVelocityCommandCfg(UniformVelocityCommandCfg):
    """A velocity command that is the reference's own where there is one to see."""

    class_type: type[GuidedVelocityCommand] | str = "{DIR}.scheduled_commands:GuidedVelocityCommand"

    motion_name: str = "motion"
    """Motion command that gives the reference."""

    window: float = 1.0
    """Time over which the reference's velocity is averaged: about a stride [s]."""
