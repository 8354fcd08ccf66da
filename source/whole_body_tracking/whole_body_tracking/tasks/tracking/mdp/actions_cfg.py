"""Configuration of the joint position actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isaaclab.envs.mdp.actions.actions_cfg import JointPositionActionCfg
from isaaclab.utils import configclass

if TYPE_CHECKING:
    from .actions import ResidualJointPositionAction, TrackingJointPositionAction


@configclass
class TrackingJointPositionActionCfg(JointPositionActionCfg):
    """Joint target = default position + scale * action."""

    class_type: type[TrackingJointPositionAction] | str = "{DIR}.actions:TrackingJointPositionAction"

    delay_range: tuple[float, float] = (0.0, 0.0)
    """Smallest and largest delay from an action until its target reaches the drives [control steps], drawn uniformly
    for each env at a reset, in whole physics steps. (0, 0) is none. On ``mujoco_cpu`` a delay needs
    ``fold_decimation=False``; ``presets=rand_delay`` sets both."""


ACTION_CENTERS = ("reference", "joint_target")
"""Joint targets of a zero residual action: the reference's joint positions, or the clip's channel of that name."""


def action_center(env_cfg: Any) -> str:
    """Joint target of a task's zero action: one of :data:`ACTION_CENTERS`, or ``default`` for the default pose."""
    action = getattr(getattr(env_cfg, "actions", None), "joint_pos", None)
    return getattr(action, "center", "default")


@configclass
class ResidualJointPositionActionCfg(TrackingJointPositionActionCfg):
    """Joint target = center + scale * action."""

    class_type: type[ResidualJointPositionAction] | str = "{DIR}.actions:ResidualJointPositionAction"

    command_name: str = "motion"
    """Motion command that gives the reference."""

    center: str = "reference"
    """Joint target of a zero action: ``reference`` for the reference's joint positions, ``joint_target`` for the
    clip's channel of feed-forward targets, which clips without it get by inverse dynamics (docs/refinement.md). A
    policy of one does not play with the other."""
