"""Confidence intervals of shares."""

from __future__ import annotations

import math

Z_95 = 1.959964
"""Two-sided 95 % quantile of the normal distribution."""


def wilson_interval(num_successes: float, num_trials: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of a share: never outside [0, 1], and not empty at 0 or 1 (Wilson 1927).

    Args:
        num_successes: Successes, at most the trials; a fraction where several rollouts share a trial.
        num_trials: Trials, at least one.
        z: Quantile of the normal distribution.

    Raises:
        ValueError: If there are more successes than trials, or no trial.
    """
    if not 0 <= num_successes <= num_trials or num_trials < 1:
        raise ValueError(f"{num_successes} successes of {num_trials} trials is not a share.")
    share, factor = num_successes / num_trials, z * z / num_trials
    center = (share + factor / 2.0) / (1.0 + factor)
    half = math.sqrt(share * (1.0 - share) * factor + factor * factor / 4.0) / (1.0 + factor)
    return max(0.0, center - half), min(1.0, center + half)
