"""MotionNN: from the last states to the next one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .networks.modes import NetworkSettings, make_network
from .normalizer import Normalizer
from .state import StateLayout, advance


class MotionModel(nn.Module):
    """Predicts the change of velocities in units of its standard deviation, and integrates it.

    With s the normalised states up to frame t and f the network,

        v_{t+1} = v_t + change_std * f(s),        x_{t+1} = advance(x_t, v_{t+1})

    so an untrained network (its last layer starts near zero) is the constant-velocity baseline.

    What is predicted is a mean, and a mean of many futures comes to rest. Drawn rollouts add what single steps miss:
    f(s) + temperature * residual_std * n with n normal.
    """

    def __init__(self, layout: StateLayout, settings: NetworkSettings):
        super().__init__()
        self.layout, self.settings = layout, settings
        self.normalizer = Normalizer(layout)
        self.network = make_network(settings, layout)
        self.register_buffer("residual_std", torch.zeros(layout.num_velocities))
        """Standard deviation of the errors of single steps, in units of the velocities' change_std."""

    @property
    def context(self) -> int:
        """Number of states that the next one depends on."""
        return self.network.context

    @property
    def num_features(self) -> int:
        """Width of :meth:`features`."""
        return self.network.num_features

    def forward(self, states: Tensor) -> Tensor:
        """Next state of every position of a sequence, shape [batch, num_frames, dim], from its past alone."""
        return self._advanced(states, self.network(self.normalizer(states)))

    def next_state(self, states: Tensor, temperature: float = 0.0, random: torch.Generator | None = None) -> Tensor:
        """The state after a sequence, shape [batch, dim].

        Args:
            states: What is known, shape [batch, num_frames, dim].
            temperature: Of the noise on the change of velocities; 0 predicts the mean, 1 draws.
            random: Of that noise.
        """
        seen = states[:, -self.context :]
        change = self.network.head(self.network.last_features(self.normalizer(seen))).float()
        if temperature > 0.0:
            noise = torch.randn(change.shape, generator=random, device=change.device)
            change = change + temperature * self.residual_std * noise
        return self._advanced(states[:, -1], change)

    def residuals(self, windows: Tensor) -> Tensor:
        """Errors of single steps in units of ``change_std``, shape [batch, num_frames - context, num_velocities]."""
        first = self.layout.num_positions
        start = min(self.context, windows.shape[1] - 1)
        missed = (windows[:, 1:] - self(windows[:, :-1]))[:, start - 1 :, first:]
        return missed / self.normalizer.change_std[first:]

    def features(self, states: Tensor) -> Tensor:
        """What the network makes of the last states, for policies, shape [batch, num_features]."""
        return self.network.last_features(self.normalizer(states[:, -self.context :]))

    def rollout(self, states: Tensor, num_steps: int, detached: bool = False) -> Tensor:
        """States to come, each predicted from those before, shape [batch, num_steps, dim].

        Args:
            states: What is known, shape [batch, num_frames, dim].
            num_steps: How many to predict.
            detached: Whether predictions that are fed back carry no gradient.
        """
        seen, predicted = list(states[:, -self.context :].unbind(1)), []
        for _ in range(num_steps):
            state = self.next_state(torch.stack(seen, dim=1))
            predicted.append(state)
            seen.append(state.detach() if detached else state)
            seen = seen[-self.context :]
        return torch.stack(predicted, dim=1)

    def _advanced(self, states: Tensor, change: Tensor) -> Tensor:
        first = self.layout.num_positions
        velocity = states[..., first:] + self.normalizer.change_std[first:] * change.float()
        return advance(states, velocity, self.layout)
