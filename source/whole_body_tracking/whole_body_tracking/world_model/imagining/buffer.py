"""Real steps of all envs in a ring, and windows of them that never cross a reset. No simulator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Moment:
    """What is kept of an instant at which the policy acts; tensors of shape [batch, ...]."""

    state: Tensor
    """Rows of :mod:`~.state`."""
    target: Tensor
    """Joint targets of the step that follows [rad], shape [batch, num_joints]."""
    last_action: Tensor
    """Action of the step before, zero at a start, shape [batch, num_joints]."""
    clip_ids: Tensor
    frames: Tensor
    """Frame that the step that follows should reach."""
    env_ids: Tensor


class StepBuffer:
    """The last steps of every env, on one device, without a loop over envs.

    Each row carries its age: how many steps of the same episode, without a gap, lead to it. A window of W steps ends at
    a row of age W or more, so it cannot cross a reset, whoever caused it.
    """

    def __init__(self, num_steps: int, num_envs: int, num_state: int, num_joints: int, device: str | torch.device):
        """Create an empty buffer of ``num_steps`` rows of ``num_envs`` envs."""
        self.num_steps, self.num_envs = num_steps, num_envs

        def table(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
            return torch.zeros(num_steps, num_envs, *shape, dtype=dtype, device=device)

        self.state, self.target, self.last_action = table(num_state), table(num_joints), table(num_joints)
        self.clip_ids, self.frames, self.ages = (table(dtype=torch.long) for _ in range(3))
        self._age = torch.zeros(num_envs, dtype=torch.long, device=device)
        self._next = 0
        self.num_filled = 0
        """Rows in use."""

    def add(
        self, state: Tensor, target: Tensor, last_action: Tensor, clip_ids: Tensor, frames: Tensor, continues: Tensor
    ) -> None:
        """Add a row of all envs.

        Args:
            state: State when the policy acted.
            target: Joint targets of the step that followed.
            last_action: Action before.
            clip_ids: Clip of each env, shape [num_envs].
            frames: Frame aimed at, shape [num_envs].
            continues: Whether the state *after* that step belongs to the same episode, shape [num_envs].
        """
        row = self._next
        self.state[row], self.target[row], self.last_action[row] = state, target, last_action
        self.clip_ids[row], self.frames[row], self.ages[row] = clip_ids, frames, self._age
        self._age = torch.where(continues, self._age + 1, 0)
        self._next = (row + 1) % self.num_steps
        self.num_filled = min(self.num_filled + 1, self.num_steps)

    def interrupt(self) -> None:
        """Note that the next row does not follow the last one, as after all envs were reset from outside."""
        self._age = torch.zeros_like(self._age)

    def num_windows(self, length: int) -> Tensor:
        """Number of windows of ``length`` steps, a scalar tensor."""
        return self._window_ends(length).sum()

    def windows(self, num: int, length: int) -> tuple[Tensor, Tensor]:
        """Draw windows with replacement, each of those that exist alike; there has to be one.

        Args:
            num: How many.
            length: Steps of each.

        Returns:
            States, shape [length + 1, num, num_state], and the joint targets of each step, shape [length, num,
            num_joints].
        """
        rows, envs = self.draw_windows(num, length)
        return self.state[rows, envs], self.target[rows[:-1], envs]

    def draw_windows(self, num: int, length: int) -> tuple[Tensor, Tensor]:
        """Rows, shape [length + 1, num], and envs, shape [num], of windows drawn like those of :meth:`windows`."""
        drawn = torch.multinomial(self._window_ends(length).flatten().float(), num, replacement=True)
        ends, envs = drawn // self.num_envs, drawn % self.num_envs
        back = torch.arange(length, -1, -1, device=ends.device)[:, None]
        return (ends - back) % self.num_steps, envs

    def moments(self, num: int, weights: Tensor | None = None) -> Moment:
        """Draw instants with replacement, each alike or by weights of shape [num_steps, num_envs]."""
        device = self.state.device
        if weights is None:
            rows = (self._oldest + torch.randint(self.num_filled, (num,), device=device)) % self.num_steps
            envs = torch.randint(self.num_envs, (num,), device=device)
        else:
            drawn = torch.multinomial(weights.flatten(), num, replacement=True)
            rows, envs = drawn // self.num_envs, drawn % self.num_envs
        tables = (self.state, self.target, self.last_action, self.clip_ids, self.frames)
        return Moment(*(table[rows, envs] for table in tables), envs)

    def weights_by(self, bin_of: Callable[[Tensor, Tensor], Tensor], probabilities: Tensor) -> Tensor:
        """Weights of instants with which bins of the clips are drawn by given probabilities, whatever the buffer has.

        An instant of bin b has p_b / n_b, with the number n_b of instants there; bins without any are left out.

        Args:
            bin_of: Bin of each of a number of clips and frames, both of shape [num].
            probabilities: p_b, shape [num_bins].

        Returns:
            Weights, shape [num_steps, num_envs], 0 for rows that are not in use.
        """
        bins = bin_of(self.clip_ids.flatten(), self.frames.flatten())
        used = (torch.arange(self.num_steps, device=bins.device) < self.num_filled).repeat_interleave(self.num_envs)
        counts = torch.zeros_like(probabilities).index_add_(0, bins, used.to(probabilities.dtype))
        share = probabilities / counts.clamp(min=1.0)
        return (share.index_select(0, bins) * used).view(self.num_steps, self.num_envs)

    @property
    def _oldest(self) -> int:
        return (self._next - self.num_filled) % self.num_steps

    def _window_ends(self, length: int) -> Tensor:
        """Whether a window ends at each row of each env, shape [num_steps, num_envs]."""
        rows = torch.arange(self.num_steps, device=self.ages.device)
        position = (rows - self._oldest) % self.num_steps  # 0 is the oldest row
        kept = (position >= length) & (position < self.num_filled)
        return (self.ages >= length) & kept[:, None]
