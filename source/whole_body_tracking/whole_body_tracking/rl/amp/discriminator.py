"""The discriminator of AMP (Peng et al., arXiv 2104.02180), with the least-squares loss and a gradient penalty."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from whole_body_tracking.priors.normalizer import Normalizer

LARGEST_INPUT = 10.0
"""Of a normalised value: one limb that flies off is no better than five that do."""


class Discriminator(nn.Module):
    """Scores windows: towards 1 for those of clips, towards -1 for those of the policy."""

    def __init__(self, num_frames: int, normalizer: Normalizer, hidden_dims: Sequence[int]):
        """Build the network.

        Args:
            num_frames: States of a window.
            normalizer: Of the clips' states; it stays as it is.
            hidden_dims: Widths of the hidden layers.
        """
        super().__init__()
        self.normalizer = normalizer
        widths = [num_frames * len(normalizer.mean), *hidden_dims]
        layers: list[nn.Module] = []
        for inputs, outputs in zip(widths[:-1], widths[1:], strict=True):
            layers += [nn.Linear(inputs, outputs), nn.ELU()]
        self.network = nn.Sequential(*layers, nn.Linear(widths[-1], 1))

    def normalized(self, windows: Tensor) -> Tensor:
        """What the network sees, shape [batch, num_frames * dim]; NaN becomes 0."""
        seen = self.normalizer(windows).flatten(-2)
        return seen.nan_to_num(nan=0.0).clamp(-LARGEST_INPUT, LARGEST_INPUT)

    def forward(self, windows: Tensor) -> Tensor:
        """Scores, shape [batch], of windows, shape [batch, num_frames, dim]."""
        return self.network(self.normalized(windows)).squeeze(-1)


def style_reward(score: Tensor) -> Tensor:
    """Reward in [0, 1] of scores: max(0, 1 - (score - 1)^2 / 4), 1 for what looks like clips."""
    return (1.0 - 0.25 * (score - 1.0).square()).clamp(min=0.0)


def discriminator_loss(
    discriminator: Discriminator, expert: Tensor, policy: Tensor, counted: Tensor, gradient_penalty: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss 1/2 E_clips (D - 1)^2 + 1/2 E_policy (D + 1)^2 + penalty/2 E_clips |dD/dx|^2, and what to log.

    Args:
        discriminator: D.
        expert: Windows of clips, shape [batch, num_frames, dim].
        policy: Windows of the policy, same shape.
        counted: Which of those are whole, 0 or 1, shape [batch].
        gradient_penalty: Weight of the last term, whose x is normalised.

    Returns:
        The loss, and scalars on the device: accuracies on clips (score above 0) and policy (below), and mean scores.
    """
    seen = discriminator.normalized(expert).detach().requires_grad_(True)
    of_expert = discriminator.network(seen).squeeze(-1)
    of_policy = discriminator(policy)
    (gradient,) = torch.autograd.grad(of_expert.sum(), seen, create_graph=True)
    whole = counted.sum().clamp(min=1.0)
    loss = 0.5 * (of_expert - 1.0).square().mean() + 0.5 * ((of_policy + 1.0).square() * counted).sum() / whole
    loss = loss + 0.5 * gradient_penalty * gradient.square().sum(-1).mean()
    logged = {
        "amp_accuracy_expert": (of_expert > 0.0).float().mean(),
        "amp_accuracy_policy": ((of_policy < 0.0) * counted).sum() / whole,
        "amp_score_expert": of_expert.mean(),
        "amp_score_policy": (of_policy * counted).sum() / whole,
        "amp_loss": loss,
    }
    return loss, {name: value.detach() for name, value in logged.items()}
