"""Show actuators their engine, which Isaac Lab builds them without, and ask robots how their joints are driven."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from whole_body_tracking.tracking.joint_drive import drive_torque

if TYPE_CHECKING:
    from isaaclab.assets import Articulation

    from .muscle_actuator import MuscleActuator


def bind_actuators(articulation: Articulation, timestep: float) -> None:
    """Bind every actuator of a robot that asks for it; others are left alone. The tracking tasks' actions call it.

    Args:
        articulation: A robot whose simulation has been reset.
        timestep: Physics step [s].
    """
    for actuator in _ours(articulation):
        actuator.bind(articulation, timestep)


def actuation_kind(articulation: Articulation) -> str:
    """How a robot's joints are driven: ``implicit`` by the engine, or a ``kind`` of this package's actuators."""
    kinds = [actuator.kind for actuator in _ours(articulation)]
    return kinds[0] if kinds else "implicit"


def drive_gains(articulation: Articulation) -> tuple[Tensor, Tensor]:
    """Stiffness [N m/rad] and damping [N m s/rad] of the joints' control law, shape [num_envs, num_joints] each."""
    for actuator in _ours(articulation):
        return actuator.stiffness, actuator.damping
    return articulation.data.joint_stiffness.torch, articulation.data.joint_damping.torch


def joint_torque(articulation: Articulation) -> Tensor:
    """Torque on the joints at the end of the last step [N m], shape [num_envs, num_joints].

    That of implicit drives is by their own law, because no engine reports it; other actuators know theirs.
    """
    data = articulation.data
    if _ours(articulation):
        return articulation.actuators.applied_effort.torch
    target = articulation.actuators.target_command.position.torch
    limit = data.joint_effort_limits.torch
    return drive_torque(target, data.joint_pos.torch, data.joint_vel.torch, *drive_gains(articulation), limit)


def _ours(articulation: Articulation) -> list:
    return [actuator for actuator in articulation.actuators.values() if hasattr(actuator, "bind")]


def muscles_of(articulation: Articulation) -> MuscleActuator | None:
    """The muscles of a robot; None if something else drives it."""
    return next((actuator for actuator in _ours(articulation) if hasattr(actuator, "pairs")), None)
