"""What the muscles of a MuJoCo model can do in a state, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np


@dataclass(frozen=True)
class MuscleFacts:
    """Constants of the muscles, shape [num_muscles] each."""

    names: tuple[str, ...]
    peak_force: np.ndarray
    """Largest isometric force [N]."""
    optimal_length: np.ndarray
    """Optimal fibre length [m]."""
    fastest: np.ndarray
    """Largest shortening velocity [m/s]."""


@dataclass(frozen=True)
class MuscleState:
    """Muscles in one state of the body: forces are linear in the activations, F = active a + passive."""

    active: np.ndarray
    """Tendon force of a fully active muscle beside its passive one [N], shape [num_muscles]; pulling is negative."""
    passive: np.ndarray
    """Tendon force at rest [N], shape [num_muscles]."""
    moment: np.ndarray
    """Derivative of tendon lengths by the degrees of freedom [m, m/rad], shape [num_muscles, nv]."""
    velocity: np.ndarray
    """Lengthening velocity [m/s], shape [num_muscles]."""


def muscle_facts(model: mujoco.MjModel) -> MuscleFacts:
    """Read the muscles of a model.

    Raises:
        ValueError: If it has an actuator that is no muscle.
    """
    is_muscle = (model.actuator_dyntype == mujoco.mjtDyn.mjDYN_MUSCLE) & (
        model.actuator_gaintype == mujoco.mjtGain.mjGAIN_MUSCLE
    )
    if model.nu == 0 or not is_muscle.all():
        others = [model.actuator(i).name for i in np.flatnonzero(~is_muscle)][:10]
        raise ValueError(
            f"The model has {int(is_muscle.sum())} muscles and the other actuators {others}, expected muscles only."
        )
    prm = model.actuator_gainprm
    span = model.actuator_lengthrange[:, 1] - model.actuator_lengthrange[:, 0]
    optimal = span / (prm[:, 1] - prm[:, 0])
    scaled = prm[:, 3] / np.maximum(model.actuator_acc0, mujoco.mjMINVAL)
    force = np.where(prm[:, 2] >= 0.0, prm[:, 2], scaled)
    names = tuple(model.actuator(index).name for index in range(model.nu))
    return MuscleFacts(names, force, optimal, optimal * prm[:, 6])


def muscle_state(model: mujoco.MjModel, data: mujoco.MjData) -> MuscleState:
    """Muscles in the state of ``data``, whose positions and velocities MuJoCo has already worked through.

    ``data.act`` and the actuator forces are changed.
    """
    forces = []
    for activation in (0.0, 1.0):
        data.act[:] = activation
        mujoco.mj_fwdActuation(model, data)
        forces.append(data.actuator_force.copy())
    return MuscleState(forces[1] - forces[0], forces[0], dense_moment(model, data), data.actuator_velocity.copy())


def dense_moment(model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
    """MuJoCo's sparse actuator moments as a matrix, shape [num_muscles, nv]."""
    rows = np.repeat(np.arange(model.nu), data.moment_rownnz)
    places = (
        data.moment_rowadr[rows] + np.arange(len(rows)) - np.repeat(_starts(data.moment_rownnz), data.moment_rownnz)
    )
    moment = np.zeros((model.nu, model.nv))
    moment[rows, data.moment_colind[places]] = data.actuator_moment[places]
    return moment


def metabolic_rate(facts: MuscleFacts, activation: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """Metabolic power of the muscles [W], shape [..., num_muscles].

    Minetti and Alexander, J. Theor. Biol. 186 (1997): P = F0 v_max a phi(x) with the shortening velocity x over the
    largest one and phi(x) = (0.054 + 0.506 x + 2.46 x^2) / (1 - 1.13 x + 12.8 x^2 - 1.64 x^3).

    Args:
        facts: The muscles.
        activation: In [0, 1], shape [..., num_muscles].
        velocity: Lengthening velocity [m/s], same shape.
    """
    x = (-velocity / facts.fastest).clip(-1.0, 1.0)
    phi = (0.054 + x * (0.506 + 2.46 * x)) / (1.0 + x * (-1.13 + x * (12.8 - 1.64 * x)))
    return facts.peak_force * facts.fastest * activation * phi


def _starts(counts: np.ndarray) -> np.ndarray:
    return np.concatenate(([0], np.cumsum(counts)[:-1]))
