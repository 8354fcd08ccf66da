"""One policy made of many: every env asks the expert of its clip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tensordict import TensorDict
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state

from .actors import load_actor
from .observations import CLIP_GROUP, EXPERT_GROUP

MIN_ROWS = 8
"""Smaller batches take another matrix product on a CPU, whose last bits differ."""


class ExpertSwitcher(nn.Module):
    """Actors of all experts side by side, and which of them each clip gets.

    Called like a model of rsl_rl, with observations that hold the groups ``expert`` and ``expert_clip``; so it plays,
    and is the teacher of a distillation.
    """

    is_recurrent: bool = False

    def __init__(self, actors: Sequence[nn.Module], expert_of_clip: Sequence[int]):
        """Stack the actors.

        Args:
            actors: From :func:`~.actors.load_actor`, of one layout.
            expert_of_clip: Index of the actor of each clip.
        """
        super().__init__()
        self._layout = [actors[0]]  # in a list: its weights are not this module's
        params, buffers = stack_module_state(list(actors))
        self._names = {name: name.replace(".", "/") for name in (*params, *buffers)}
        for name, value in (params | buffers).items():
            self.register_buffer(self._names[name], value.detach())
        self.register_buffer("expert_of_clip", torch.tensor(expert_of_clip))
        self.register_buffer("_expert_idx", torch.arange(len(actors)), persistent=False)

    @property
    def num_experts(self) -> int:
        """Number of actors."""
        return len(getattr(self, next(iter(self._names.values()))))

    def forward(self, obs: TensorDict, **_) -> Tensor:
        """Actions of each env's expert, shape [num_envs, num_actions]."""
        return self.act(obs[EXPERT_GROUP], self.expert_of_clip[obs[CLIP_GROUP][:, 0].long()])

    def act(self, obs: Tensor, experts: Tensor) -> Tensor:
        """Actions of the given experts.

        Args:
            obs: Observations, shape [num_envs, num_observations].
            experts: Expert of each row, shape [num_envs].
        """
        num_rows = max(-(-len(obs) // self.num_experts), MIN_ROWS)
        order = torch.argsort(experts, stable=True)
        sorted_experts = experts[order]
        counts = torch.zeros_like(self._expert_idx).index_add_(0, experts, torch.ones_like(experts))
        last_block = ((counts + num_rows - 1) // num_rows).cumsum(0)
        # Blocks of one size, as many as could be needed: their number does not have to be asked from the device.
        num_blocks = (len(obs) + self.num_experts * (num_rows - 1)) // num_rows
        blocks = torch.arange(num_blocks, device=obs.device)
        block_experts = torch.searchsorted(last_block, blocks, right=True).clamp(max=self.num_experts - 1)
        ahead = torch.cat((counts.cumsum(0) - counts, last_block.roll(1).index_fill(0, self._expert_idx[:1], 0)))
        first_row, first_block = ahead.view(2, -1)[:, sorted_experts]
        places = first_block * num_rows + torch.arange(len(obs), device=obs.device) - first_row
        batches = obs.new_zeros(num_blocks * num_rows, obs.shape[-1]).index_copy_(0, places, obs[order])
        outputs = self._all_blocks(block_experts, batches.view(num_blocks, num_rows, -1)).flatten(0, 1)[places]
        return torch.empty_like(outputs).index_copy_(0, order, outputs)

    def _all_blocks(self, experts: Tensor, batches: Tensor) -> Tensor:
        """Each block of rows through its expert, shape [num_blocks, num_rows, num_actions]."""
        weights = {name: getattr(self, buffer).index_select(0, experts) for name, buffer in self._names.items()}
        return torch.func.vmap(lambda own, rows: functional_call(self._layout[0], own, (rows,)))(weights, batches)

    def reset(self, dones: Tensor | None = None, hidden_state: None = None) -> None:
        """Nothing to do: experts have no memory."""

    def get_hidden_state(self) -> None:
        """Nothing: experts have no memory."""

    def detach_hidden_state(self, dones: Tensor | None = None) -> None:
        """Nothing to do: experts have no memory."""


class ExpertTeacher(ExpertSwitcher):
    """The switcher as rsl_rl builds a teacher: from observations and a config."""

    def __init__(
        self,
        obs: TensorDict,
        obs_groups: dict[str, list[str]],
        obs_set: str,
        output_dim: int,
        checkpoints: Sequence[str],
        expert_of_clip: Sequence[int],
        distribution_cfg: None = None,
    ):
        """Load the experts.

        Args:
            obs: Observations, with the groups ``expert`` and ``expert_clip``.
            obs_groups: Not used; the switcher knows its groups.
            obs_set: Not used either.
            output_dim: Number of actions.
            checkpoints: Checkpoint of each expert.
            expert_of_clip: Index of the expert of each clip.
            distribution_cfg: None: experts act without noise.

        Raises:
            FileNotFoundError: If a checkpoint is gone.
            ValueError: If an expert does not fit the observations.
        """
        width = obs[EXPERT_GROUP].shape[-1]
        super().__init__([load_actor(Path(path), width, output_dim) for path in checkpoints], expert_of_clip)
