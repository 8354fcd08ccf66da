"""Gaits that an expert is measured on, and what their walks say of it."""

from __future__ import annotations

import math

import numpy as np

SPEEDS, CADENCES = (0.2, 0.8), (80.0, 130.0)
"""Ranges of the gaits [m/s, steps/min]."""
LONGEST_STRIDE = 1.05
"""Gaits with a longer one are not asked for [m]."""
CLOSE = 0.1
"""A realised speed is right if its relative error is at most this."""


def held_out_gaits(num: int, seed: int = 0) -> list[dict[str, float]]:
    """Straight gaits spread over speed and cadence: one per stratum of each, in random pairs.

    A pair whose stride is too long gets the slowest cadence at which it is not.

    Args:
        num: How many, at least 1.
        seed: Of the pairs.

    Raises:
        ValueError: If none is asked for.
    """
    if num < 1:
        raise ValueError(f"--num_gaits is {num}, expected at least 1.")
    rng = np.random.default_rng(seed)
    speeds, cadences = (
        low + (high - low) * (rng.permutation(num) + rng.uniform(size=num)) / num for low, high in (SPEEDS, CADENCES)
    )
    cadences = np.maximum(cadences, 120.0 * speeds / LONGEST_STRIDE)
    return [
        {"speed": round(float(speed), 4), "cadence": round(float(cadence), 2), "turn_rate": 0.0}
        for speed, cadence in zip(speeds, cadences, strict=True)
    ]


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
        "passed": float(survived and error is not None and error <= CLOSE),
    }


def summary(rows: list[dict[str, float | None]]) -> dict[str, float]:
    """Shares of the walks that survived and that passed, mean survived time [s], and the survivors' median speed error.

    The last is left out if nobody survived.
    """
    errors = [row["speed_error"] for row in rows if row["survived"] and row["speed_error"] is not None]
    shares = {name: float(np.mean([row[name] for row in rows])) for name in ("survived", "passed", "survived_s")}
    return {"num_gaits": len(rows)} | shares | ({"speed_error_median": float(np.median(errors))} if errors else {})
