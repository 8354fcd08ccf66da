"""How far an update has moved the policy."""

from __future__ import annotations

import math

import torch
from rsl_rl.models import MLPModel
from rsl_rl.storage import RolloutStorage

MAX_SAMPLES = 16_384
"""States of the rollout that are looked at, at most: the mean over more says nothing new."""


@torch.no_grad()
def mean_kl(actor: MLPModel, storage: RolloutStorage) -> torch.Tensor:
    """Mean KL divergence KL(old || new) of the policy that collected a rollout and the updated one, a scalar tensor.

    For Gaussians the sum over actions of log(s' / s) + (s^2 + (m - m')^2) / (2 s'^2) - 1 / 2. The new policy is the one
    that acts next, with its observation statistics updated. Draws no random numbers.

    Args:
        actor: The updated actor, without memory.
        storage: The rollout; clearing it leaves what is read here.
    """
    stride = math.ceil(storage.num_envs * storage.num_transitions_per_env / MAX_SAMPLES)
    obs = storage.observations.flatten(0, 1)[::stride]
    old = tuple(values.flatten(0, 1)[::stride] for values in storage.distribution_params)
    actor.distribution.update(actor.mlp(actor.get_latent(obs)))
    return actor.get_kl_divergence(old, actor.output_distribution_params).mean()
