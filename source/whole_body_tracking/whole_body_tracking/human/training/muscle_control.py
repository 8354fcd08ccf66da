"""From joint torques to muscle excitations, and the reflexes that hold a posture: what actions of torque go through."""

from __future__ import annotations

import torch
from torch import Tensor

from whole_body_tracking.actuation.muscle_curves import excitation_to_reach
from whole_body_tracking.motion.geometry.rotations import quat_rotate
from whole_body_tracking.tracking.errors import BodyState

from ..activations import BoundedSolver
from ..inverse_dynamics import HumanDynamics
from ..model.body import HumanBody
from ..muscle_nn import network_scale

REST_ACTIVATION = 0.05
"""Activation of muscles that a torque does not need: they pull against each other, which damps without delay."""
ITERATIONS = 20
"""Alternations of the bounded solver in a step."""


class MuscleTorques:
    """Excitations that give torques near a motion's states: bounded least squares with the moment arms of its frames.

    Moment arms and strengths are those of the reference, which the body is near as long as it does not fail.
    """

    def __init__(self, dynamics: HumanDynamics):
        """Prepare the frames.

        Args:
            dynamics: Of the motion.
        """
        gains = torch.from_numpy(dynamics.torque_per_activation)
        self._solve = BoundedSolver(gains, torch.from_numpy(network_scale(dynamics)), dtype=torch.float32)
        self._offset = -torch.from_numpy(dynamics.passive_torque).float()
        self.strength = 0.5 * gains.abs().sum(-1).mean(0).float()
        """Mean of what all muscles of either direction give about each coordinate [N m], shape [num_coordinates]."""

    def excitations(self, frames: Tensor, torque: Tensor, activation: Tensor, seconds: float) -> Tensor:
        """Excitations in [0, 1] whose activations will give the torques, shape [num_envs, num_muscles].

        Args:
            frames: Reference frames of the bodies, shape [num_envs].
            torque: Wanted of the muscles, passive forces included [N m], shape [num_envs, num_coordinates].
            activation: Of now, shape [num_envs, num_muscles].
            seconds: Time until the activations should be there [s].
        """
        active = torque + self._offset[frames]
        wanted = self._solve(active, frames, ITERATIONS, REST_ACTIVATION).activation
        return excitation_to_reach(activation, wanted, seconds)


class PostureReflex:
    """Torques that pull a body towards a posture and keep it over its feet; the gains are the body table's.

    tau_j = k_j (q*_j - q_j) + d_j (v*_j - v_j) for every coordinate, and about the ankles a share of
    sign (K e + D e') of how far the anchor is in front of its place, e, as an inverted pendulum is held.
    """

    def __init__(self, body: HumanBody):
        table, names = body.table, body.moved_names
        found = [next((each for each in table.reflexes if name.startswith(each.start)), None) for name in names]
        self._stiffness = torch.tensor([0.0 if each is None else each.stiffness for each in found])
        self._damping = torch.tensor([0.0 if each is None else each.damping for each in found])
        self._balance = table.balance
        holds = [table.balance is not None and name.startswith(table.balance.start) for name in names]
        self._share = torch.tensor(holds, dtype=torch.float32) / max(1, sum(holds))
        self._anchor = table.tracked.index(table.anchor)
        self._forward = torch.from_numpy(body.anchor_forward).float()

    def __call__(self, position: Tensor, velocity: Tensor, bodies: BodyState, target: BodyState) -> Tensor:
        """Torques [N m], shape [num_envs, num_coordinates].

        Args:
            position: Posture minus coordinates [rad], shape [num_envs, num_coordinates].
            velocity: The same of their velocities [rad/s].
            bodies: Tracked bodies in the world.
            target: Where they should be.
        """
        torque = self._stiffness * position + self._damping * velocity
        if self._balance is None:
            return torque
        anchor, gains = self._anchor, self._balance
        forward = quat_rotate(target.quat_w[:, anchor], self._forward.expand(len(torque), 3))[:, :2]
        forward = torch.nn.functional.normalize(forward, dim=-1)
        ahead = ((bodies.pos_w - target.pos_w)[:, anchor, :2] * forward).sum(-1)
        speed = ((bodies.lin_vel_w - target.lin_vel_w)[:, anchor, :2] * forward).sum(-1)
        push = gains.sign * (gains.stiffness * ahead + gains.damping * speed)
        return torque + push[:, None] * self._share
