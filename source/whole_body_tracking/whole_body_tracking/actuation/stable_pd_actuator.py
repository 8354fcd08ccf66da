"""Stable PD control as an Isaac Lab actuator."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import torch
from isaaclab.actuators import ActuatorBase
from isaaclab.actuators.actuator_base import resolve_joint_parameter
from isaaclab.sim import SimulationContext
from isaaclab.utils.types import ArticulationActions
from torch import Tensor

from .dynamics import EngineDynamics
from .stable_pd import stable_pd_torque

if TYPE_CHECKING:
    from isaaclab.assets import Articulation

    from .stable_pd_cfg import StablePDActuatorCfg


class StablePDActuator(ActuatorBase):
    """Torques of :func:`.stable_pd.stable_pd_torque` at every physics step, from the engine's mass matrix and bias."""

    cfg: StablePDActuatorCfg
    drives_in_engine: ClassVar[bool] = True
    """Whether the engine may apply the torques itself, at every substep."""

    def __init__(
        self,
        cfg: StablePDActuatorCfg,
        joint_names: list[str],
        joint_ids: slice | Tensor,
        num_envs: int,
        device: str,
        stiffness: Tensor | float = 0.0,
        damping: Tensor | float = 0.0,
        **limits,
    ):
        """Resolve gains and limits; arguments are those of Isaac Lab's base class.

        Raises:
            ValueError: If joints of the robot are left out, or have no gain.
        """
        super().__init__(cfg, joint_names, joint_ids, num_envs, device, **limits)
        if joint_ids != slice(None):
            raise ValueError(
                f"Stable PD control solves for all joints at once, and this group has {len(joint_names)} of them:"
                f" {joint_names}. Use one group with `joint_names_expr=['.*']`."
            )
        for name in ("stiffness", "damping"):
            require_gains(name, getattr(cfg, name), joint_names)
        self.stiffness = resolve_joint_parameter(cfg.stiffness, stiffness, joint_names, num_envs, device)
        self.damping = resolve_joint_parameter(cfg.damping, damping, joint_names, num_envs, device)
        self._dynamics: EngineDynamics | None = None
        self._native: _NativeDrive | None = None
        self._timestep = 0.0

    def bind(self, articulation: Articulation, timestep: float) -> None:
        """Take mass matrix and bias from the engine of a robot, every ``timestep`` [s].

        With ``physics=mujoco_cpu`` the engine computes the torques itself, at every substep.

        Raises:
            NotImplementedError: If its engine does not give them.
        """
        manager = SimulationContext.instance().physics_manager
        if hasattr(manager, "use_stable_pd"):
            self._native = _NativeDrive(self, articulation, manager)
            return
        if self.cfg.contact_forces:
            raise NotImplementedError(
                "`contact_forces=True` needs the contact forces in joint space, which only physics=mujoco_cpu gives."
                " Leave `contact_forces` at None."
            )
        self._dynamics, self._timestep = EngineDynamics(articulation), timestep

    @property
    def kind(self) -> str:
        """What exported policies call it: ``stable_pd``, or ``stable_pd_contacts`` if it counts contact forces."""
        return "stable_pd_contacts" if self.counts_contacts else "stable_pd"

    @property
    def counts_contacts(self) -> bool:
        """Whether the prediction counts contact forces."""
        return self._native is not None and self._native.arrays.contact_forces

    def reset(self, env_ids: Sequence[int] | None) -> None:
        """Forget the contact forces of some envs."""
        if self._native is not None:
            self._native.constraint[slice(None) if env_ids is None else env_ids] = 0.0

    def compute(self, control_action: ArticulationActions, joint_pos: Tensor, joint_vel: Tensor) -> ArticulationActions:
        """Torques for the coming physics step; feed-forward efforts are added.

        With ``physics=mujoco_cpu`` it hands over gains and targets, and the telemetry is known after the step.

        Raises:
            RuntimeError: If the actuator has not seen its engine.
        """
        if self._native is not None and self.drives_in_engine:
            self._native.take(self, control_action)
        else:
            self.computed_effort = self.desired_torque(control_action, joint_pos, joint_vel)
            self.applied_effort = self._clip_effort(self.computed_effort)
            control_action.joint_efforts = self.applied_effort
        control_action.joint_positions = control_action.joint_velocities = None
        return control_action

    def desired_torque(self, action: ArticulationActions, joint_pos: Tensor, joint_vel: Tensor) -> Tensor:
        """Torque that the control law asks for, without limits [N m], shape [num_envs, num_joints]."""
        if self._native is not None:
            return self._native.torque(self, action)
        if self._dynamics is None:
            raise RuntimeError(
                "The actuator has not seen its engine. Call whole_body_tracking.actuation.binding.bind_actuators(robot,"
                " physics_dt) once after sim.reset(), as the tracking tasks' actions do."
            )
        known = torch.nn.functional.pad(action.joint_efforts, (self._dynamics.num_base_dofs, 0))
        mass_matrix = self._dynamics.mass_matrix()
        torque = stable_pd_torque(
            mass_matrix,
            self._dynamics.bias(mass_matrix) - known,
            joint_pos,
            joint_vel,
            action.joint_positions,
            self.stiffness,
            self.damping,
            self._timestep,
            target_vel=action.joint_velocities,
        )
        return torque + action.joint_efforts


class _NativeDrive:
    """The actuator's side of stable PD control inside ``physics=mujoco_cpu``."""

    def __init__(self, actuator: StablePDActuator, articulation: Articulation, manager):
        counts = actuator.cfg.contact_forces is not False
        self._telemetry, self._manager = articulation.actuators, manager
        publish = self._publish if actuator.drives_in_engine else None
        self.arrays = manager.use_stable_pd(articulation.joint_names, counts, publish)
        self._dofs = torch.tensor(self.arrays.joint_dofs)
        self._views = {name: torch.from_numpy(getattr(self.arrays, name)) for name in self.arrays.ARRAYS}
        self.constraint = self._views["constraint"]

    def torque(self, actuator: StablePDActuator, action: ArticulationActions) -> Tensor:
        """Torque at the present state without limits [N m]; feed-forward efforts are added."""
        self.take(actuator, action)
        self._manager.compute_stable_pd()
        return self._views["torque_before_limit"][:, self._dofs] + action.joint_efforts

    def take(self, actuator: StablePDActuator, action: ArticulationActions) -> None:
        values = {
            "stiffness": actuator.stiffness,
            "damping": actuator.damping,
            "limit": actuator.actuator_effort_limit,
            "target": action.joint_positions,
            "target_vel": action.joint_velocities,
        }
        for name, value in values.items():
            self._views[name][:, self._dofs] = value

    def _publish(self) -> None:
        self._telemetry.computed_effort.torch[:] = self._views["torque_before_limit"][:, self._dofs]
        self._telemetry.applied_effort.torch[:] = self._views["torque"][:, self._dofs]


def require_gains(name: str, values: dict[str, float] | float | None, joint_names: list[str]) -> None:
    """Check that every joint has a gain.

    Raises:
        ValueError: If some have none; the message names them.
    """
    if not isinstance(values, dict):
        return
    without = [joint for joint in joint_names if not any(re.fullmatch(pattern, joint) for pattern in values)]
    if without:
        raise ValueError(
            f"`{name}` has {len(values)} entries, and {len(without)} of the {len(joint_names)} joints match none of"
            f" them: {without}. Give every joint of the robot a gain."
        )
