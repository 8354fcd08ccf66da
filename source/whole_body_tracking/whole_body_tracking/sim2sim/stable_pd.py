"""Plain MuJoCo with the joints driven as in training: by MuJoCo's position servos, or by stable PD control."""

from __future__ import annotations

import mujoco
import numpy as np
import torch

from whole_body_tracking.actuation.stable_pd import stable_pd_torque
from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_model import PHYSICS_DT
from whole_body_tracking.robots.mujoco_simulation import Simulation


def simulation_of(robot: RobotModel, spec: PolicySpec) -> Simulation:
    """Simulation with the actuation of a policy.

    Raises:
        ValueError: If there is none such here, or the control period is not a multiple of the physics step.
    """
    spec.require_actuation(("implicit", "stable_pd", "stable_pd_contacts"), "sim2sim")
    return Simulation(robot, spec) if spec.actuation == "implicit" else StablePDSimulation(robot, spec)


class StablePDSimulation(Simulation):
    """Simulation in which torques of stable PD control, made anew at every physics step, drive the joints."""

    def __init__(self, robot: RobotModel, spec: PolicySpec):
        """Build the model and take its servos out of action."""
        super().__init__(robot, spec)
        self.model.actuator_gainprm[:] = self.model.actuator_biasprm[:] = 0.0
        self._counts_contacts = spec.actuation == "stable_pd_contacts"
        gains = (spec.joint_stiffness, spec.joint_damping, spec.joint_effort_limit)
        self._stiffness, self._damping, self._limit = (torch.tensor(values, dtype=torch.float64) for values in gains)
        # The formula has the root first and joints in the policy's order.
        self._dofs = np.concatenate((np.arange(6), self._joint_dof))

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
