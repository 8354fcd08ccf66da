"""Torques of a human motion in independent coordinates, with the ground's forces under the soles, and its muscles."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.refine.contact_forces import FootPoints, solve_contact_forces

from .model.body import HumanBody
from .model.coordinates import NUM_ROOT
from .model.muscles import muscle_state
from .motions.motion import HumanMotion, accelerations, velocities


@dataclass(frozen=True)
class HumanDynamics:
    """What a motion takes, and what the muscles can do in its states. Coordinates are the independent ones."""

    torque: np.ndarray
    """Generalized force that the muscles should give [N, N m], without the root, shape [num_frames, num_moved]."""
    torque_per_activation: np.ndarray
    """What a unit of activation adds, shape [num_frames, num_moved, num_muscles]."""
    passive_torque: np.ndarray
    """What muscles at rest give, shape [num_frames, num_moved]."""
    active_force: np.ndarray
    """Tendon force per activation [N], shape [num_frames, num_muscles]; pulling is negative."""
    passive_force: np.ndarray
    """Tendon force at rest [N], same shape."""
    muscle_velocity: np.ndarray
    """Lengthening velocity [m/s], same shape."""
    root_residual: np.ndarray
    """Force [N] and moment about the root [N m] in the world that the ground cannot give, shape [num_frames, 6]."""
    contact_force: np.ndarray
    """Force of the ground on each foot in the world [N], shape [num_frames, 2, 3]."""
    qvel: np.ndarray
    """Velocities that were assumed, shape [num_frames, nv]."""


def inverse_dynamics(body: HumanBody, motion: HumanMotion) -> HumanDynamics:
    """Inverse dynamics of every frame; contacts are explained by forces on the soles, as for robots' clips.

    Joint limits and dry friction are switched off; springs and dampers of the joints stay.
    """
    model, coordinates = body.model, body.coordinates
    qvel = velocities(model, coordinates, motion)
    qacc = accelerations(motion, qvel)
    jacobian = coordinates.jacobian(motion.qpos)
    sweep = _Sweep(body, motion.num_frames)
    with body.without_constraints():
        for frame in range(motion.num_frames):
            sweep.take(frame, motion.qpos[frame], qvel[frame], qacc[frame], jacobian[frame])
    turn = Rotation.from_quat(motion.qpos[:, 3:7], scalar_first=True)
    wrench = np.hstack([sweep.force[:, :3], turn.apply(sweep.force[:, 3:6])])
    contact = solve_contact_forces(FootPoints(sweep.soles), motion.qpos[:, :3], wrench)
    force = sweep.force - np.einsum("fpxc,fpx->fc", sweep.sole_jacobian, contact.reshape(motion.num_frames, -1, 3))
    residual = np.hstack([force[:, :3], turn.apply(force[:, 3:6])])
    return HumanDynamics(
        torque=force[:, NUM_ROOT:],
        torque_per_activation=sweep.gain,
        passive_torque=sweep.passive,
        active_force=sweep.active_force,
        passive_force=sweep.passive_force,
        muscle_velocity=sweep.velocity,
        root_residual=residual,
        contact_force=contact.sum(2),
        qvel=qvel,
    )


class _Sweep:
    """Arrays that one pass over the frames fills."""

    def __init__(self, body: HumanBody, frames: int):
        model, count = body.model, len(body.coordinates)
        self._body, self._data = body, mujoco.MjData(model)
        points = body.sole_points
        self.force = np.empty((frames, count))
        self.soles = np.empty((frames, *points.shape))
        self.sole_jacobian = np.empty((frames, points.shape[0] * points.shape[1], 3, count))
        self.gain = np.empty((frames, count - NUM_ROOT, model.nu))
        self.passive = np.empty((frames, count - NUM_ROOT))
        self.active_force, self.passive_force, self.velocity = np.empty((3, frames, model.nu))

    def take(self, frame: int, qpos: np.ndarray, qvel: np.ndarray, qacc: np.ndarray, jacobian: np.ndarray) -> None:
        model, data = self._body.model, self._data
        data.qpos[:], data.qvel[:], data.qacc[:] = qpos, qvel, qacc
        mujoco.mj_inverse(model, data)
        self.force[frame] = data.qfrc_inverse @ jacobian
        self.soles[frame] = self._body.place_soles(data)
        moved = np.zeros((len(self._body.sole_owners), 3, model.nv))
        for row, owner in enumerate(self._body.sole_owners):
            mujoco.mj_jac(model, data, moved[row], None, self.soles[frame].reshape(-1, 3)[row], owner)
        self.sole_jacobian[frame] = moved @ jacobian
        state = muscle_state(model, data)
        moment = (state.moment @ jacobian)[:, NUM_ROOT:]
        self.gain[frame] = (moment * state.active[:, None]).T
        self.passive[frame] = state.passive @ moment
        self.active_force[frame], self.passive_force[frame] = state.active, state.passive
        self.velocity[frame] = state.velocity
