"""The world model: a network that predicts how velocities change in a control step. No simulator."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from whole_body_tracking.rl.learning.precision import BFloat16HiddenLayers
from whole_body_tracking.rl.learning.ranks import mean_and_std

from .state import NUM_ROOT, NUM_ROOT_CHANGES, features, integrate, split, velocity_change

MAX_INPUT = 6.0
"""Normalised inputs beyond this are cut: a robot that falls is faster than anything the network has learnt."""
MIN_INPUT_STD, MIN_CHANGE_STD, MIN_FEATURE_STD = 0.02, 1.0e-3, 1.0e-2
"""Floors of the normalisers: what hardly moves in the first steps must not be blown up later."""
HEIGHT_SCALE = 0.05
"""Scale of the root's height in the loss [m], and half of that of its place."""


class WorldModel(nn.Module):
    """Next state of a robot from its state and the joint targets that it is given.

    dv = s_dv * f((x - m_x) / s_x),  x = (features, (target - joint_pos) / action_scale), and
    :func:`~.state.integrate` with dv. Means and standard deviations come from real steps.
    """

    def __init__(self, action_scale: Tensor, dt: float, width: int, num_layers: int, dtype: torch.dtype):
        """Build the model.

        Args:
            action_scale: Joint target per unit of action [rad], shape [num_joints].
            dt: Control step [s].
            width: Units of each hidden layer.
            num_layers: Number of hidden layers.
            dtype: Number format of the hidden layers while training: float32 or bfloat16.
        """
        super().__init__()
        joints, self.dt = len(action_scale), dt
        sizes = [NUM_ROOT - 3 + 3 * joints, *[width] * num_layers]
        layers: list[nn.Module] = []
        for inputs, outputs in zip(sizes, sizes[1:], strict=False):
            layers += [nn.Linear(inputs, outputs), nn.ELU()]
        last = nn.Linear(sizes[-1], NUM_ROOT_CHANGES + joints)
        with torch.no_grad():
            last.weight.mul_(0.1)
            last.bias.zero_()
        network = nn.Sequential(*layers, last)
        self.network = BFloat16HiddenLayers(network) if dtype == torch.bfloat16 else network
        self.register_buffer("action_scale", action_scale.clone())
        self.register_buffer("input_mean", torch.zeros(sizes[0]))
        self.register_buffer("input_std", torch.ones(sizes[0]))
        self.register_buffer("change_std", torch.ones(NUM_ROOT_CHANGES + joints))
        self.register_buffer("feature_std", torch.ones(NUM_ROOT - 3 + 2 * joints))

    def forward(self, state: Tensor, target: Tensor, noise: float = 0.0) -> Tensor:
        """State one control step later.

        Args:
            state: Rows, shape [batch, 13 + 2 * num_joints].
            target: Joint targets [rad], shape [batch, num_joints].
            noise: Standard deviation of noise on the changes of velocity, as a share of their own.
        """
        inputs = ((self._inputs(state, target) - self.input_mean) / self.input_std).clamp(-MAX_INPUT, MAX_INPUT)
        change = self.network(inputs)
        if noise > 0.0:
            change = change + noise * torch.randn_like(change)
        return integrate(state, change * self.change_std, self.dt)

    @torch.no_grad()
    def fit_normalizers(self, state: Tensor, target: Tensor, after: Tensor) -> None:
        """Take means and standard deviations from real steps of all processes, shape [num, ...] each."""
        mean, std = mean_and_std(self._inputs(state, target))
        self.input_mean.copy_(mean)
        self.input_std.copy_(std + MIN_INPUT_STD)
        self.change_std.copy_(mean_and_std(velocity_change(state, after))[1] + MIN_CHANGE_STD)
        self.feature_std.copy_(mean_and_std(features(state))[1] + MIN_FEATURE_STD)
        self.feature_std[0] = HEIGHT_SCALE

    def error(self, state: Tensor, real: Tensor) -> Tensor:
        """Distance of predicted from real states in standard deviations of the features, and in place; shape [batch].

        Mean absolute difference of the features over their standard deviations, plus that of the root's position
        over half a metre.
        """
        seen = ((features(state) - features(real)) / self.feature_std).abs().mean(-1)
        return seen + 2.0 * (state[..., :3] - real[..., :3]).abs().mean(-1)

    def _inputs(self, state: Tensor, target: Tensor) -> Tensor:
        return torch.cat((features(state), (target - split(state).joint_pos) / self.action_scale), dim=-1)


def window_loss(model: nn.Module, states: Tensor, targets: Tensor) -> Tensor:
    """Mean error along windows that are predicted from their first state alone, a scalar.

    Args:
        model: A :class:`WorldModel`, or several as an ensemble.
        states: Real states, shape [num_steps + 1, batch, 13 + 2 * num_joints].
        targets: Joint targets of each step, shape [num_steps, batch, num_joints].
    """
    state, loss = states[0], states.new_zeros(())
    for target, real in zip(targets, states[1:], strict=True):
        state = model(state, target)
        loss = loss + model.error(state, real).mean()
    return loss / len(targets)


@torch.no_grad()
def open_loop_errors(model: nn.Module, states: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Errors after each step of windows that are predicted from their first state alone.

    Args:
        model: As of :func:`window_loss`.
        states: Real states, shape [num_steps + 1, batch, width].
        targets: Joint targets of each step, shape [num_steps, batch, num_joints].

    Returns:
        Error of the model, and of keeping all velocities (no change), each of shape [num_steps, batch]: see
        :meth:`WorldModel.error`.
    """
    predicted, kept, errors = states[0], states[0], []
    nothing = torch.zeros_like(model.change_std).expand(states.shape[1], -1)
    for target, real in zip(targets, states[1:], strict=True):
        predicted, kept = model(predicted, target), integrate(kept, nothing, model.dt)
        errors.append(torch.stack((model.error(predicted, real), model.error(kept, real))))
    ours, theirs = torch.stack(errors).unbind(1)
    return ours, theirs
