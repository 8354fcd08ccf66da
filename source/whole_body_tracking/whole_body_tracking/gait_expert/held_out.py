"""Gaits that an expert is measured on, and what their walks say of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

SPEEDS, CADENCES = (0.2, 0.8), (80.0, 130.0)
"""Ranges of the gaits [m/s, steps/min]."""
LONGEST_STRIDE = 1.05
"""Gaits with a longer one are not asked for [m]."""
CADENCE_STEP = 3.0
"""Distance of the cadences that are tried for a refused gait [steps/min]."""
CLOSE = 0.1
"""A realised speed is right if its relative error is at most this."""


def held_out_gaits(
    num: int,
    seed: int = 0,
    speeds: tuple[float, float] = SPEEDS,
    cadences: tuple[float, float] = CADENCES,
    refuses: Callable[[dict[str, float]], bool] = lambda gait: False,
) -> list[dict[str, float]]:
    """Straight gaits spread over speed and cadence: one per stratum of each, in random pairs.

    A pair whose stride is too long gets the slowest cadence at which it is not. A pair that is refused gets the nearest
    cadence, in steps of 3, at which it is not.

    Args:
        num: How many, at least 1.
        seed: Of the pairs.
        speeds: Lowest and highest [m/s].
        cadences: Lowest and highest [steps/min].
        refuses: Whether a gait is not possible, for instance because the ground cannot give its forces.

    Raises:
        ValueError: If none is asked for, a range is not one, or a speed is possible at no cadence.
    """
    if num < 1:
        raise ValueError(f"--num_gaits is {num}, expected at least 1.")
    for name, (low, high) in (("speed", speeds), ("cadence", cadences)):
        if not 0.0 < low <= high < math.inf:
            raise ValueError(f"--{name} is {low:g} to {high:g}, expected increasing positive numbers.")
    rng = np.random.default_rng(seed)
    drawn = [
        low + (high - low) * (rng.permutation(num) + rng.uniform(size=num)) / num for low, high in (speeds, cadences)
    ]
    return [_possible(float(speed), float(cadence), cadences, refuses) for speed, cadence in zip(*drawn, strict=True)]


def _possible(
    speed: float, cadence: float, cadences: tuple[float, float], refuses: Callable[[dict[str, float]], bool]
) -> dict[str, float]:
    """A gait of this speed at the nearest cadence at which it is possible."""
    slowest = 120.0 * speed / LONGEST_STRIDE
    wanted = max(cadence, slowest)
    others = np.arange(max(slowest, cadences[0]), max(wanted, cadences[1]) + 1e-6, CADENCE_STEP)
    for value in (wanted, *sorted(others[others != wanted], key=lambda other: abs(other - wanted))):
        gait = {"speed": round(speed, 4), "cadence": round(float(value), 2), "turn_rate": 0.0}
        if not refuses(gait):
            return gait
    raise ValueError(f"No cadence within {cadences[0]:g} to {cadences[1]:g} steps/min is possible at {speed:.2f} m/s.")


def walk_row(
    gait: dict[str, float], survived_s: float, seconds: float, realised_speed: float
) -> dict[str, float | None]:
    """What one walk says: whether it survived, and how far its speed is off; None for one that diverged."""
    survived, is_finite = survived_s >= seconds - 1e-6, math.isfinite(realised_speed)
    error = abs(realised_speed / gait["speed"] - 1.0) if is_finite else None
    return gait | {
        "survived": float(survived),
        "survived_s": survived_s,
        "realised_speed": realised_speed if is_finite else None,
        "speed_error": error,
        "velocity_error": abs(realised_speed - gait["speed"]) if is_finite else None,
        "passed": float(survived and error is not None and error <= CLOSE),
    }


def summary(rows: list[dict[str, float | None]]) -> dict[str, float]:
    """Shares of the walks that survived and that passed, and mean survived time [s].

    Of those that survived also the median relative speed error, and the largest error of the velocity [m/s]; left out
    if nobody did.
    """
    survivors = [row for row in rows if row["survived"] and row["speed_error"] is not None]
    shares = {name: float(np.mean([row[name] for row in rows])) for name in ("survived", "passed", "survived_s")}
    found = {"num_gaits": len(rows)} | shares
    if survivors:
        found["speed_error_median"] = float(np.median([row["speed_error"] for row in survivors]))
        found["velocity_error_max"] = max(row["velocity_error"] for row in survivors)
    return found
