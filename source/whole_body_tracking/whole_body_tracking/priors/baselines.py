"""What every model has to beat."""

from __future__ import annotations

import torch
from torch import Tensor

from whole_body_tracking.names import require_known

from .state import StateLayout, advance

BASELINES = ("constant_velocity", "hold")


def baseline_rollout(name: str, states: Tensor, num_steps: int, layout: StateLayout) -> Tensor:
    """States to come, shape [batch, num_steps, dim].

    Args:
        name: ``hold`` keeps the last pose and stands still; ``constant_velocity`` keeps the last velocities, joints
            stopping at their limits.
        states: What is known, shape [batch, num_frames, dim].
        num_steps: How many to predict.
        layout: Of the states.

    Raises:
        ValueError: If there is no such baseline.
    """
    require_known(name, BASELINES, "baseline")
    state = states[:, -1]
    if name == "hold":
        still = state.clone()
        still[:, layout.num_positions :] = 0.0
        return still[:, None].expand(-1, num_steps, -1).clone()
    velocity, predicted = state[:, layout.num_positions :], []
    for _ in range(num_steps):
        state = advance(state, velocity, layout)
        predicted.append(state)
    return torch.stack(predicted, dim=1)
