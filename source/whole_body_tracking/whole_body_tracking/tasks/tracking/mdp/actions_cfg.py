"""Configuration of the joint position actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isaaclab.envs.mdp.actions.actions_cfg import JointPositionActionCfg
from isaaclab.utils import configclass

if TYPE_CHECKING:
    from .actions import ResidualJointPositionAction, TrackingJointPositionAction


@configclass
class TrackingJointPositionActionCfg(JointPositionActionCfg):
    """Joint target = default position + scale * action."""

    class_type: type[TrackingJointPositionAction] | str = "{DIR}.actions:TrackingJointPositionAction"


@configclass
class ResidualJointPositionActionCfg(TrackingJointPositionActionCfg):
    """Joint target = reference joint position + scale * action."""

    class_type: type[ResidualJointPositionAction] | str = "{DIR}.actions:ResidualJointPositionAction"

    command_name: str = "motion"
    """Motion command that gives the reference."""
