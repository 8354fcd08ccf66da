"""The exported form of networks that replace the last observations by features of their own."""

from __future__ import annotations

import copy

import torch
from rsl_rl.models import MLPModel
from torch import Tensor, nn


def replace_last(obs: Tensor, count: int, normalizer: nn.Module, features: nn.Module) -> Tensor:
    """Replace the last ``count`` columns by their features and normalise the others."""
    return torch.cat((normalizer(obs[..., :-count]), features(obs[..., -count:])), dim=-1)


class ExportedSplitInput(nn.Module):
    """Deterministic part of a model whose last observations have features of their own, copied."""

    is_recurrent: bool = False

    def __init__(self, model: MLPModel, count: int, features: nn.Module):
        """Copy the parts.

        Args:
            model: The network.
            count: How many of the last observations are replaced.
            features: What replaces them.
        """
        super().__init__()
        self.count = count
        self.obs_normalizer = copy.deepcopy(model.obs_normalizer)
        self.features = copy.deepcopy(features)
        self.mlp = copy.deepcopy(model.mlp)
        has_noise = model.distribution is not None
        self.deterministic_output = model.distribution.as_deterministic_output_module() if has_noise else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Actions for observations, shape [1, num_observations]."""
        latent = replace_last(x, self.count, self.obs_normalizer, self.features)
        return self.deterministic_output(self.mlp(latent))
