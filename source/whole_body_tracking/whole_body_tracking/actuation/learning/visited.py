"""States that a policy visits, as samples for MuscleNN."""

from __future__ import annotations

import torch
from torch import Tensor

from ..muscle_training import MuscleStates


class VisitedStates:
    """The newest states of a training, in a ring.

    Torques beyond what the muscles can give are kept within it: no activation could be blamed for the rest.
    """

    def __init__(self, capacity: int, num_joints: int, device: str = "cpu"):
        """An empty ring of ``capacity`` states."""
        self.capacity, self.num_added = capacity, 0
        """``num_added``: states that were ever added."""
        self._gains = torch.zeros(capacity, num_joints, 2, device=device)
        self._torque = torch.zeros(capacity, num_joints, device=device)
        self._places = torch.arange(capacity, device=device)

    def __len__(self) -> int:
        return min(self.num_added, self.capacity)

    @torch.no_grad()
    def add(self, torque_per_activation: Tensor, torque: Tensor) -> None:
        """Add states; of more than the ring holds, the first ones.

        Args:
            torque_per_activation: J^T A [N m], shape [num_states, num_joints, 2].
            torque: Desired active torque [N m], shape [num_states, num_joints].
        """
        gains = torque_per_activation[: self.capacity]
        places = self._places[: len(gains)] + self.num_added
        self._gains[places % self.capacity] = gains
        possible = torch.clamp(torque[: self.capacity], gains.amin(-1), gains.amax(-1))
        self._torque[places % self.capacity] = possible
        self.num_added += len(gains)

    def sample(self, num_states: int, newest: int | None = None) -> MuscleStates:
        """Draw states with replacement.

        Args:
            num_states: How many.
            newest: Only from this many that were added last; None means all.

        Raises:
            ValueError: If there is none.
        """
        among = len(self) if newest is None else min(newest, len(self))
        if not among:
            raise ValueError("No state was visited yet. Step the environment before MuscleNN learns from it.")
        age = torch.randint(among, (num_states,), device=self._gains.device)
        chosen = (self.num_added - 1 - age) % self.capacity
        return MuscleStates(self._gains[chosen], self._torque[chosen])
