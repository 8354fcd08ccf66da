"""Repeated measurements as medians and quartiles, so that a busy moment of the machine does not count."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of repeated measurements."""

    median: float
    low: float
    """First quartile."""
    high: float
    """Third quartile."""
    num_samples: int


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles (linear interpolation) of measurements.

    Raises:
        ValueError: If there is no measurement.
    """
    if not values:
        raise ValueError("A median needs at least one measurement, got none. Measure for longer: raise --seconds.")
    if len(values) == 1:
        return Spread(values[0], values[0], values[0], 1)
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high, len(values))


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """Ratio of each pair of measurements taken side by side, in which the machine's load cancels."""
    return [a / b for a, b in zip(numerators, denominators, strict=True)]
