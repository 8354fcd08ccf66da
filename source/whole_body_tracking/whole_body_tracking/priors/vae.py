"""A variational code of windows of one second, to blend and to draw motions from."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .networks.modes import NetworkSettings
from .normalizer import Normalizer
from .state import StateLayout

KL_WEIGHT = 0.04
"""Of the divergence from a standard normal distribution, per value of the code: codes spread as that does."""
VELOCITY_WEIGHT = 0.1
"""Of velocities; positions have 1. Most of a velocity is too quick for so few numbers to tell."""
STEP_WEIGHT = 0.1
"""Of the changes of positions from frame to frame, each over its standard deviation."""


class MotionVAE(nn.Module):
    """Encodes a window of one second to ``latent`` numbers near a standard normal distribution, and decodes them.

    Joint positions come out of a sigmoid between the joints' limits, and joint velocities are their differences, so
    every decoded motion stays within limits and its velocities belong to its positions.
    """

    def __init__(self, layout: StateLayout, settings: NetworkSettings):
        super().__init__()
        self.layout, self.settings = layout, settings
        self.normalizer = Normalizer(layout)
        self.window = max(2, round(layout.fps))
        hidden, size = settings.hidden, self.window * layout.dim
        self.encoder = _LinearAndMLP(size, hidden, settings.layers, 2 * settings.latent)
        self.num_decoded = layout.dim - layout.num_joints  # joint velocities follow from positions
        self.decoder = _LinearAndMLP(settings.latent, hidden, settings.layers, self.window * self.num_decoded)
        for last in (self.decoder.linear, self.decoder.mlp[-1]):
            nn.init.normal_(last.weight, std=0.01)  # it starts from the mean pose
        nn.init.zeros_(self.decoder.mlp[-1].bias)
        limits = torch.tensor(layout.joint_pos_limits)
        self.register_buffer("lower", limits[:, 0], persistent=False)
        self.register_buffer("upper", limits[:, 1], persistent=False)

    def encode(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the code of windows, shape [batch, window, dim]; shape [batch, latent] each."""
        mean, log_variance = self.encoder(self.normalizer(windows).flatten(1)).float().chunk(2, dim=-1)
        return mean, log_variance.clamp(-10.0, 10.0)

    def decode(self, code: Tensor) -> Tensor:
        """Windows of states, shape [batch, window, dim], of codes, shape [batch, latent]."""
        raw = self.decoder(code).float().view(len(code), self.window, self.num_decoded)
        place, joints = self.layout.slices, self.layout.slices["joint_pos"]
        scaled = self.normalizer.mean[: self.num_decoded] + self.normalizer.std[: self.num_decoded] * raw
        up = nn.functional.normalize(scaled[..., place["up_b"]], dim=-1)
        span = self.upper - self.lower
        middle = torch.logit(((self.normalizer.mean[joints] - self.lower) / span).clamp(0.02, 0.98))
        steepness = 4.0 * self.normalizer.std[joints] / span  # near the middle, raw counts in standard deviations
        joint_pos = self.lower + span * torch.sigmoid(middle + steepness * raw[..., joints])
        joint_vel = joint_pos.diff(dim=1) * self.layout.fps
        joint_vel = torch.cat((joint_vel[:, :1], joint_vel), dim=1)
        height, rest = scaled[..., place["root_height"]], scaled[..., self.layout.num_positions :]
        return torch.cat((height, up, joint_pos, rest, joint_vel), dim=-1)

    def interpolate(self, a: Tensor, b: Tensor, num_steps: int) -> Tensor:
        """Windows between two, by their mean codes, shape [num_steps, window, dim]; the ends are their own decodings.

        Args:
            a: First window, shape [window, dim].
            b: Last window.
            num_steps: How many, at least two.
        """
        code_a, code_b = self.encode(torch.stack((a, b)))[0]
        share = torch.linspace(0.0, 1.0, num_steps, device=a.device)[:, None]
        return self.decode((1.0 - share) * code_a + share * code_b)

    def sample(self, count: int, random: torch.Generator) -> Tensor:
        """Windows drawn from the prior, shape [count, window, dim]."""
        return self.decode(torch.randn(count, self.settings.latent, generator=random))


def vae_loss(model: MotionVAE, windows: Tensor, random: torch.Generator) -> Tensor:
    """Reconstruction of states and of their changes, plus the divergence KL(q || N(0, 1)) of the code.

    Squared errors over their standard deviation, each kind a mean over values and windows, and so is
    KL = 1/2 (m^2 + s^2 - log s^2 - 1) (Kingma and Welling 2013, appendix B).
    """
    mean, log_variance = model.encode(windows)
    noise = torch.randn(mean.shape, generator=random, device=mean.device)
    decoded = model.decode(mean + noise * (0.5 * log_variance).exp())
    first = model.layout.num_positions
    error = ((decoded - windows) / model.normalizer.std).square()
    states = error[..., :first].mean() + VELOCITY_WEIGHT * error[..., first:].mean()
    steps = (decoded - windows)[..., :first].diff(dim=1) / model.normalizer.change_std[:first]
    divergence = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1.0)
    return states + STEP_WEIGHT * steps.square().mean() + KL_WEIGHT * divergence.mean()


class _LinearAndMLP(nn.Module):
    """The sum of a linear map and an MLP: a linear code of a motion is good, and an MLP alone is slow to find one."""

    def __init__(self, inputs: int, hidden: int, layers: int, outputs: int):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)
        self.mlp = _mlp(inputs, hidden, layers, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) + self.mlp(x)


def _mlp(inputs: int, hidden: int, layers: int, outputs: int) -> nn.Sequential:
    widths = [inputs, *[hidden] * layers]
    blocks = [
        nn.Sequential(nn.Linear(a, b), nn.LayerNorm(b), nn.SiLU()) for a, b in zip(widths[:-1], widths[1:], strict=True)
    ]
    return nn.Sequential(*blocks, nn.Linear(hidden, outputs))
