"""A policy without the observations that it sees as zeros anyway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from .env_spec import OBSERVATION_GROUP

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv
    from rsl_rl.models import MLPModel


class WithoutTerms:
    """An actor of rsl_rl, as the export reads it, that takes fewer observations."""

    def __init__(self, actor: MLPModel, env: ManagerBasedRLEnv, hidden: Sequence[str]):
        """Leave terms out.

        Args:
            actor: The policy.
            env: Its environment.
            hidden: Terms of the policy's observations that are zeros.
        """
        manager = env.observation_manager
        names, dims = manager.active_terms[OBSERVATION_GROUP], manager.group_obs_term_dim[OBSERVATION_GROUP]
        seen = [torch.full(dim, name not in hidden) for name, dim in zip(names, dims, strict=True)]
        self.columns = torch.cat(seen).nonzero().flatten()
        """Observations that are left, shape [num_left]."""
        self._actor, self._num_all = actor, sum(len(part) for part in seen)
        self.is_recurrent, self.obs_dim = actor.is_recurrent, len(self.columns)

    def as_onnx(self, verbose: bool = False) -> nn.Module:
        """The network, with zeros in place of what was left out."""
        return _Padded(self._actor.as_onnx(verbose=verbose), self.columns, self._num_all)


class _Padded(nn.Module):
    def __init__(self, network: nn.Module, columns: Tensor, num_all: int):
        super().__init__()
        self.network = network
        place = torch.zeros(len(columns), num_all)
        place[torch.arange(len(columns)), columns.cpu()] = 1.0
        self.register_buffer("place", place)

    def forward(self, obs: Tensor) -> Tensor:
        return self.network(obs @ self.place)
