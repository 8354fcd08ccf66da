"""A network that learns a vector for each motion."""

from __future__ import annotations

import torch
from rsl_rl.models import MLPModel
from tensordict import TensorDict
from torch import Tensor, nn

from .learning.split_input import ExportedSplitInput, replace_last


class MotionEmbeddingModel(MLPModel):
    """MLP whose last ``num_motions`` inputs, a one-hot motion id, are replaced by a learned vector.

    The id is not normalised; the other observations are, as in the plain model.
    """

    def __init__(
        self,
        obs: TensorDict,
        obs_groups: dict[str, list[str]],
        obs_set: str,
        output_dim: int,
        num_motions: int,
        embedding_dim: int = 16,
        obs_normalization: bool = False,
        **kwargs,
    ):
        """Build the network.

        Args:
            obs: Observations, of which the last group of this set ends with the one-hot id.
            obs_groups: Observation groups of each set.
            obs_set: Set of this network, such as ``actor``.
            output_dim: Number of outputs.
            num_motions: Width of the one-hot id.
            embedding_dim: Length of a motion's vector.
            obs_normalization: Whether to normalise observations.
            kwargs: What rsl_rl's model takes.

        Raises:
            ValueError: If there is no one-hot id of this width.
        """
        self.num_motions, self.embedding_dim = num_motions, embedding_dim
        super().__init__(obs, obs_groups, obs_set, output_dim, obs_normalization=obs_normalization, **kwargs)
        ids = obs[self.obs_groups[-1]][..., -num_motions:]
        if ids.shape[-1] != num_motions or not torch.all(ids.sum(-1) == 1.0):
            raise ValueError(
                f"The {obs_set}'s observations do not end with a one-hot id of {num_motions} motions. Train with"
                " presets=motion_embedding, which adds it."
            )
        if obs_normalization:
            self.obs_normalizer = type(self.obs_normalizer)(self.obs_dim - num_motions)
        self.embedding = nn.Linear(num_motions, embedding_dim, bias=False)
        nn.init.normal_(self.embedding.weight)

    def get_latent(self, obs: TensorDict, masks: Tensor | None = None, hidden_state=None) -> Tensor:
        """Normalised observations followed by the motion's vector, shape [num_envs, num_latents]."""
        return replace_last(self._concatenated(obs), self.num_motions, self.obs_normalizer, self.embedding)

    def update_normalization(self, obs: TensorDict) -> None:
        """Update the statistics of everything but the id."""
        if self.obs_normalization:
            self.obs_normalizer.update(self._concatenated(obs)[..., : -self.num_motions])

    def as_onnx(self, verbose: bool) -> nn.Module:
        """The network as one module from all observations to actions, for export."""
        return ExportedSplitInput(self, self.num_motions, self.embedding)

    def as_jit(self) -> nn.Module:
        """The network as one module from all observations to actions, for export."""
        return ExportedSplitInput(self, self.num_motions, self.embedding)

    def _get_latent_dim(self) -> int:
        return self.obs_dim - self.num_motions + self.embedding_dim

    def _concatenated(self, obs: TensorDict) -> Tensor:
        return torch.cat([obs[group] for group in self.obs_groups], dim=-1)
