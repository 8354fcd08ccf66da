"""What legs say of a robot: where its soles touch, how fast its root moves over them, and which of them stand."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.refine.contact_forces import sole_corners
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_simulation import RobotState, Simulation

TOUCHING = 60.0
"""Force from which a foot counts as standing [N]; of 327 N of weight."""
LEAVING = 30.0
"""Force below which it counts as lifted again [N]."""

ROLLING = 0.003
"""Height over the lowest corner of a sole at which another corner counts a factor e less [m]."""

SIDES = ("left", "right")


@dataclass(frozen=True)
class Feet:
    """Both feet at an instant: left, right. Each is the point of its sole that is on the ground if the foot stands.

    Where a foot rolls over heel or toes its ankle moves, and this point does not.
    """

    offsets_b: np.ndarray
    """Positions in the root's frame [m], shape [2, 3]."""
    velocities_b: np.ndarray
    """Velocities relative to the root, of the sole where the points are, in the root's frame [m/s], shape [2, 3]."""
    shifts_b: np.ndarray
    """How far the points went along the sole since the last reading, in the root's frame [m], shape [2, 3]."""
    forces: np.ndarray
    """Upward force of the ground [N], shape [2]."""


class Legs:
    """Kinematics and static forces of both legs, from joint readings and an orientation."""

    def __init__(self, robot: RobotModel, spec: PolicySpec):
        simulation = Simulation(robot, spec)
        self._simulation, self.model, self.data = simulation, simulation.model, simulation.data
        self._feet = simulation.body_ids(robot.foot_body_names)
        legs = [[name for name in robot.joint_names if name.startswith(side) and _is_leg(name)] for side in SIDES]
        self._joints = [np.array([spec.joint_names.index(name) for name in names]) for names in legs]
        self._dofs = [np.array([self.model.joint(name).dofadr[0] for name in names]) for names in legs]
        self._stands = [True, True]
        self._corners = sole_corners(robot)
        self._points: np.ndarray | None = None

    def read(self, state: RobotState, joint_torque: np.ndarray) -> Feet:
        """Both feet.

        Args:
            state: Orientation, angular velocity and joints; position and velocity do not matter.
            joint_torque: In the order of the policy's joints [N m], shape [num_joints].
        """
        model, data, simulation = self.model, self.data, self._simulation
        at_origin = RobotState(
            np.zeros(3), state.root_quat_w, np.zeros(3), np.zeros(3), state.joint_pos, np.zeros_like(state.joint_vel)
        )
        simulation.reset(at_origin)
        mujoco.mj_rne(model, data, 0, data.qfrc_bias)
        turn = np.empty(9)
        mujoco.mju_quat2Mat(turn, data.qpos[3:7])
        to_root = turn.reshape(3, 3).T
        offsets, velocities, forces = np.empty((2, 3)), np.empty((2, 3)), np.empty(2)
        jacobian = np.empty((6, model.nv))
        turns = data.xmat[self._feet].reshape(2, 3, 3)
        points = np.stack([lowest_point(self._corners, foot_turn) for foot_turn in turns])
        moved = np.zeros((2, 3)) if self._points is None else points - self._points
        self._points = points
        for foot, body in enumerate(self._feet):
            mujoco.mj_jacBody(model, data, jacobian[:3], jacobian[3:], body)
            own = jacobian[:, self._dofs[foot]]
            joints = self._joints[foot]
            arm = turns[foot] @ points[foot]
            linear, angular = np.split(own @ state.joint_vel[joints], 2)
            offsets[foot] = to_root @ (data.xpos[body] + arm)
            velocities[foot] = to_root @ (linear + np.cross(angular, arm))
            # At rest the wrench w of the ground obeys J^T w + torque = gravity's torque.
            missing = data.qfrc_bias[self._dofs[foot]] - joint_torque[joints]
            forces[foot] = np.linalg.solve(own @ own.T + 1e-5 * np.eye(6), own @ missing)[2]
        shifts = np.einsum("ij,fjk,fk->fi", to_root, turns, moved)
        return Feet(offsets, velocities, shifts, forces)

    def standing(self, feet: Feet) -> tuple[bool, bool]:
        """Which feet stand, with some hysteresis."""
        for foot, force in enumerate(feet.forces):
            self._stands[foot] = force > (LEAVING if self._stands[foot] else TOUCHING)
        return self._stands[0], self._stands[1]


def lowest_point(corners: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Where a sole touches level ground: its lowest corner, the middle if it is flat, and smoothly between.

    The mean of the corners c_i with weights exp(-h_i / :data:`ROLLING`), h_i their heights over the lowest one.

    Args:
        corners: Of the sole in the foot's frame [m], shape [num_corners, 3].
        turn: From the foot's frame to the world, shape [3, 3].

    Returns:
        The point in the foot's frame [m], shape [3].
    """
    heights = corners @ turn[2]
    weights = np.exp(-(heights - heights.min()) / ROLLING)
    return weights @ corners / weights.sum()


def _is_leg(name: str) -> bool:
    return any(part in name for part in ("hip", "knee", "ankle"))
