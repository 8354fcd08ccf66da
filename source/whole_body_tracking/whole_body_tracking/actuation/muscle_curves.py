"""MuJoCo's muscle model: force over length and velocity, and the dynamics of activation. Pure functions of tensors.

Lengths are normalized by the optimal fibre length, velocities by it and the largest shortening velocity, forces by the
largest isometric force. Source: MuJoCo's documentation, Modeling, "Muscles", and its functions ``mju_muscleGain``,
``mju_muscleBias`` and ``mju_muscleDynamics``, whose numbers the tests compare.
"""

from __future__ import annotations

import torch
from torch import Tensor

SHORTEST, LONGEST = 0.5, 1.6
"""Normalized lengths at which a muscle gives no active force (MuJoCo's ``lmin`` and ``lmax``)."""
PASSIVE_FORCE = 1.3
"""Passive force at :data:`LONGEST` (``fpmax``)."""
LENGTHENING_FORCE = 1.2
"""Force factor of a muscle that is stretched fast (``fvmax``)."""
ACTIVATION_TIME, DEACTIVATION_TIME = 0.01, 0.04
"""Time constants [s] at half activation."""


def active_force(length: Tensor) -> Tensor:
    """Isometric force of a fully active muscle over its length: four parabolas, 1 at length 1, 0 outside the range."""
    rising, falling = 0.5 * (SHORTEST + 1.0), 0.5 * (1.0 + LONGEST)
    below = torch.where(
        length <= rising,
        0.5 * ((length - SHORTEST) / (rising - SHORTEST)).square(),
        1.0 - 0.5 * ((1.0 - length) / (1.0 - rising)).square(),
    )
    above = torch.where(
        length <= falling,
        1.0 - 0.5 * ((length - 1.0) / (falling - 1.0)).square(),
        0.5 * ((LONGEST - length) / (LONGEST - falling)).square(),
    )
    inside = (length >= SHORTEST) & (length <= LONGEST)
    return torch.where(inside, torch.where(length <= 1.0, below, above), torch.zeros_like(length))


def velocity_factor(velocity: Tensor) -> Tensor:
    """Factor on the force over velocity: 0 when shortening at -1 or faster, 1 at rest, 1.2 when stretched fast."""
    extra = LENGTHENING_FORCE - 1.0
    shortening = (velocity.clamp(-1.0, 0.0) + 1.0).square()
    stretched = LENGTHENING_FORCE - (extra - velocity.clamp(0.0, extra)).square() / extra
    return torch.where(velocity <= 0.0, shortening, stretched)


def passive_force(length: Tensor) -> Tensor:
    """Force of the stretched tissue, without activation: 0 up to length 1, then a parabola, then a line."""
    half = 0.5 * (LONGEST - 1.0)
    stretch = (length - 1.0) / half
    curve = torch.where(stretch <= 1.0, 0.5 * stretch.square(), stretch - 0.5)
    return torch.where(stretch > 0.0, PASSIVE_FORCE * curve, torch.zeros_like(length))


def activation_rate(excitation: Tensor, activation: Tensor) -> Tensor:
    """Time derivative of activation [1/s]: (excitation - activation) / tau, as in Millard et al. 2013.

    tau = 10 ms (0.5 + 1.5 a) while rising and 40 ms / (0.5 + 1.5 a) while falling. Both arguments are in [0, 1].
    """
    slowing = 0.5 + 1.5 * activation.clamp(0.0, 1.0)
    missing = excitation.clamp(0.0, 1.0) - activation
    return missing / torch.where(missing > 0.0, ACTIVATION_TIME * slowing, DEACTIVATION_TIME / slowing)


def next_activation(excitation: Tensor, activation: Tensor, timestep: float) -> Tensor:
    """Activation after a step, by the explicit Euler rule that MuJoCo takes for muscles, kept in [0, 1]."""
    return (activation + timestep * activation_rate(excitation, activation)).clamp(0.0, 1.0)


def excitation_to_reach(activation: Tensor, wanted: Tensor, seconds: float) -> Tensor:
    """Excitation in [0, 1] that brings muscles to an activation within a time, if held; as near as it can.

    The inverse of :func:`activation_rate` with its time constant held where it starts: the excitation overshoots by
    1 / (1 - exp(-seconds / tau)).

    Args:
        activation: Now, in [0, 1].
        wanted: After ``seconds``, same shape.
        seconds: Time [s].
    """
    slowing = 0.5 + 1.5 * activation.clamp(0.0, 1.0)
    tau = torch.where(wanted > activation, ACTIVATION_TIME * slowing, DEACTIVATION_TIME / slowing)
    return (activation + (wanted - activation) / -torch.expm1(-seconds / tau)).clamp(0.0, 1.0)
