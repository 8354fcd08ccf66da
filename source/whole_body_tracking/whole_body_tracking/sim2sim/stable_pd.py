"""Plain MuJoCo with the joints driven as in training: by its position servos, by stable PD control, or by muscles."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np
import torch

from whole_body_tracking.actuation.muscle_curves import next_activation
from whole_body_tracking.actuation.muscle_nn import load_muscle_nn
from whole_body_tracking.actuation.muscle_pairs import MusclePairs, reciprocal_activation
from whole_body_tracking.actuation.stable_pd import stable_pd_torque
from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_model import PHYSICS_DT
from whole_body_tracking.robots.mujoco_simulation import RobotState, Simulation
from whole_body_tracking.tracking.joint_drive import drive_torque


def simulation_of(robot: RobotModel, spec: PolicySpec, folder: Path | None = None) -> Simulation:
    """Simulation with the actuation of a policy.

    Args:
        robot: Of the policy.
        spec: Of the policy.
        folder: Of its file, which has the network of its muscles.

    Raises:
        FileNotFoundError: If the network is gone.
        ValueError: If it is another one, or the control period is not a multiple of the physics step.
    """
    spec.require_actuation(("implicit", "stable_pd", "stable_pd_contacts", "muscles"), "sim2sim")
    if spec.actuation == "muscles":
        return MuscleSimulation(robot, spec, folder or Path())
    return Simulation(robot, spec) if spec.actuation == "implicit" else StablePDSimulation(robot, spec)


def torque_at_end(simulation: Simulation, spec: PolicySpec, acting: np.ndarray) -> np.ndarray:
    """Torque on the joints at the end of a control step [N m], shape [num_joints], as an evaluation records it.

    That of servos is by their law in the state that was reached; other drives applied theirs in the last physics step.

    Args:
        simulation: After the step.
        spec: Of the policy.
        acting: Joint targets that act now [rad].
    """
    if isinstance(simulation, StablePDSimulation):
        return simulation.joint_torque
    gains = (spec.joint_stiffness, spec.joint_damping, spec.joint_effort_limit)
    state = simulation.state
    values = (acting, state.joint_pos, state.joint_vel, *gains)
    return drive_torque(*(torch.tensor(np.array(value, dtype=np.float32)) for value in values)).numpy()


class StablePDSimulation(Simulation):
    """Simulation in which torques of stable PD control, made anew at every physics step, drive the joints."""

    def __init__(self, robot: RobotModel, spec: PolicySpec):
        """Build the model and take its servos out of action."""
        super().__init__(robot, spec)
        self.model.actuator_gainprm[:] = self.model.actuator_biasprm[:] = 0.0
        muscles = spec.muscles
        self._counts_contacts = spec.actuation == "stable_pd_contacts" if muscles is None else muscles.contact_forces
        gains = (spec.joint_stiffness, spec.joint_damping, spec.joint_effort_limit)
        self._stiffness, self._damping, self._limit = (torch.tensor(values, dtype=torch.float64) for values in gains)
        # The formula has the root first and joints in the policy's order.
        self._dofs = np.concatenate((np.arange(6), self._joint_dof))

    @property
    def joint_torque(self) -> np.ndarray:
        """Of the last physics step [N m], shape [num_joints]."""
        return self.data.qfrc_applied[self._joint_dof]

    def step(self, targets: np.ndarray, substeps: int | None = None) -> None:
        """Hold joint targets [rad] for some physics steps; see :meth:`.Simulation.step`."""
        for _ in range(self.substeps if substeps is None else substeps):
            mujoco.mj_step1(self.model, self.data)
            self.data.qfrc_applied[self._joint_dof] = self._torque(targets)
            mujoco.mj_step2(self.model, self.data)
        self._update_bodies()

    def _torque(self, targets: np.ndarray) -> np.ndarray:
        mass, data = np.zeros((self.model.nv, self.model.nv)), self.data
        mujoco.mj_fullM(self.model, data, mass)
        # Of the last step: those of this one depend on the torque.
        contacts = data.qfrc_constraint if self._counts_contacts else 0.0
        known = data.qfrc_bias - data.qfrc_passive - contacts
        values = (mass[np.ix_(self._dofs, self._dofs)], known[self._dofs])
        joints = (data.qpos[self._joint_qpos], data.qvel[self._joint_dof], targets)
        tensors = (torch.from_numpy(np.array(value, dtype=np.float64)) for value in (*values, *joints))
        return stable_pd_torque(*tensors, self._stiffness, self._damping, PHYSICS_DT, self._limit).numpy()


class MuscleSimulation(StablePDSimulation):
    """Simulation in which a pair of muscles on every joint follows the torques of stable PD control."""

    def __init__(self, robot: RobotModel, spec: PolicySpec, folder: Path):
        """Build the model and make the muscles.

        Raises:
            FileNotFoundError: If the network is not in the folder.
            ValueError: If it is another one.
        """
        super().__init__(robot, spec)
        path = spec.muscles.require_network(folder)
        self._network = None if path is None else load_muscle_nn(path, robot)[0]
        self._pairs, self._is_slow = MusclePairs.of_robot(robot), spec.muscles.activation_dynamics
        # Muscles are in the order of the robot's joints.
        self._order = [spec.joint_names.index(name) for name in robot.joint_names]
        self.activation = torch.zeros(robot.num_joints, 2)
        """Of every muscle, in [0, 1]."""

    def reset(self, state: RobotState) -> None:
        """Put the robot into a state at time zero, its muscles at rest."""
        super().reset(state)
        self.activation.zero_()

    @torch.no_grad()
    def _torque(self, targets: np.ndarray) -> np.ndarray:
        order, data = self._order, self.data
        wanted = torch.from_numpy(super()._torque(targets)[order]).float()
        position, velocity = (
            torch.from_numpy(values[order]).float()
            for values in (data.qpos[self._joint_qpos], data.qvel[self._joint_dof])
        )
        gains, passive = self._pairs.torque_per_activation(position, velocity), self._pairs.passive_torque(position)
        find = reciprocal_activation if self._network is None else self._network
        asked = find(gains[None], (wanted - passive)[None])[0]
        self.activation = next_activation(asked, self.activation, PHYSICS_DT) if self._is_slow else asked
        limit = self._pairs.effort_limit
        torque = ((gains * self.activation).sum(-1) + passive).clamp(-limit, limit)
        result = np.empty(len(order))
        result[order] = torque.numpy()
        return result
