"""Rank rollouts from the worst to the best."""

from __future__ import annotations

import torch

from .measure import RolloutMetrics


def ranked_rollouts(measured: RolloutMetrics) -> list[int]:
    """Indices of the rollouts, the worst first: by completion, then by position error."""
    completion, error = measured.values["completion"].tolist(), measured.values["mpkpe"].nan_to_num(torch.inf).tolist()
    return sorted(range(len(completion)), key=lambda index: (completion[index], -error[index]))


def median_rollout(measured: RolloutMetrics) -> int:
    """Index of the rollout in the middle of :func:`ranked_rollouts`."""
    order = ranked_rollouts(measured)
    return order[len(order) // 2]
