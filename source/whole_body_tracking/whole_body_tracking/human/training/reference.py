"""A human motion as a reference: full physics states, bodies and feed-forward activations of every frame."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
import torch
from torch import Tensor

from whole_body_tracking.tracking.errors import BodyState

from ..inverse_dynamics import HumanDynamics
from ..model.body import HumanBody
from ..motions.motion import HumanMotion
from .muscle_control import MuscleTorques

FULL_STATE = mujoco.mjtState.mjSTATE_FULLPHYSICS
SENSORS = ("mjSENS_FRAMEPOS", "mjSENS_FRAMEQUAT", "mjSENS_FRAMELINVEL", "mjSENS_FRAMEANGVEL")
SENSOR_SIZE = 13
"""Numbers that the sensors of a body give."""


@dataclass(frozen=True)
class HumanReference:
    """Arrays by frame."""

    fps: float
    states: np.ndarray
    """MuJoCo's full physics states with activations, shape [num_frames, num_states]."""
    activation: Tensor
    """Of least squares, in [0, 1], shape [num_frames, num_muscles]."""
    torque: Tensor
    """Of inverse dynamics [N m], shape [num_frames, num_coordinates]."""
    muscles: MuscleTorques
    """What turns torques into excitations."""
    bodies: BodyState
    """Tracked bodies, shape [num_frames, num_bodies, ...]."""

    @property
    def num_frames(self) -> int:
        return len(self.states)


def simulation_model(body: HumanBody, timestep: float) -> mujoco.MjModel:
    """The body on its ground, with sensors of the tracked bodies' poses and velocities, in the table's order.

    Args:
        body: The body; its spec gets the sensors.
        timestep: Physics step [s].
    """
    spec = body.spec.copy()
    spec.option.timestep = timestep
    for name in body.table.tracked:
        for kind in SENSORS:
            spec.add_sensor(type=getattr(mujoco.mjtSensor, kind), objtype=mujoco.mjtObj.mjOBJ_XBODY, objname=name)
    return spec.compile()


def body_state(sensors: np.ndarray, num_bodies: int) -> BodyState:
    """What sensors of :func:`simulation_model` say, as tensors in float32 with quaternions (x, y, z, w).

    Args:
        sensors: Shape [..., num_sensor_values]; the tracked bodies' come last.
        num_bodies: Of the tracked ones.
    """
    values = (
        torch.from_numpy(sensors[..., -SENSOR_SIZE * num_bodies :]).float().unflatten(-1, (num_bodies, SENSOR_SIZE))
    )
    pos, quat, lin_vel, ang_vel = values.split((3, 4, 3, 3), dim=-1)
    return BodyState(pos, quat.roll(-1, -1), lin_vel, ang_vel)


def make_reference(
    body: HumanBody, model: mujoco.MjModel, motion: HumanMotion, dynamics: HumanDynamics, activation: np.ndarray
) -> HumanReference:
    """Lay a motion out for the environment.

    Args:
        body: The body.
        model: From :func:`simulation_model`.
        motion: What to track, at the control rate.
        dynamics: Its inverse dynamics.
        activation: Activations that give its torques, shape [num_frames, num_muscles].
    """
    data = mujoco.MjData(model)
    states = np.empty((motion.num_frames, mujoco.mj_stateSize(model, FULL_STATE)))
    sensors = np.empty((motion.num_frames, model.nsensordata))
    for frame in range(motion.num_frames):
        data.qpos[:], data.qvel[:], data.act[:] = motion.qpos[frame], dynamics.qvel[frame], activation[frame]
        mujoco.mj_getState(model, data, states[frame], FULL_STATE)
        mujoco.mj_forward(model, data)
        sensors[frame] = data.sensordata
    bodies = body_state(sensors, len(body.table.tracked))
    return HumanReference(
        motion.fps,
        states,
        activation=torch.from_numpy(activation).float(),
        torque=torch.from_numpy(dynamics.torque).float(),
        muscles=MuscleTorques(dynamics),
        bodies=bodies,
    )
