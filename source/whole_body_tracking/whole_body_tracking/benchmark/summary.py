"""Summary of repeated measurements as the figures of a result."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from .measuring.spread import Spread, ratios, spread

if TYPE_CHECKING:
    from .measuring.stepping import SteppingRates
    from .measuring.training import TrainingRates


def summarize(stepping: SteppingRates, training: dict[str, TrainingRates], main_network: str) -> dict:
    """The rates of a result: medians under their stable keys, and the spread of every one."""
    named = {"environment": stepping.environment, "physics": stepping.physics}
    if stepping.native_rollout:
        named["native_rollout"] = stepping.native_rollout
        named["ratio_environment_to_native"] = ratios(stepping.environment, stepping.native_rollout)
    spreads: dict[str, Spread] = {name: spread(values) for name, values in named.items()}
    ratio = spreads.pop("ratio_environment_to_native", None)
    networks = {name: _training_summary(rates) for name, rates in training.items()}
    spreads |= {f"training {name}": spread(rates.steps_per_s) for name, rates in training.items()}
    return {
        "environment_steps_per_s": spreads["environment"].median,
        "physics_steps_per_s": spreads["physics"].median,
        "training_steps_per_s": networks[main_network]["steps_per_s"],
        "native_rollout_steps_per_s": spreads["native_rollout"].median if stepping.native_rollout else None,
        "ratio_environment_to_native": None if ratio is None else ratio.median,
        "environment_cpu_ms": spread(stepping.environment_cpu_ms).median,
        "native_rollout_cpu_ms": spread(stepping.native_rollout_cpu_ms).median if stepping.native_rollout else None,
        "native_rollout_cores": spread(stepping.native_rollout_cores).median if stepping.native_rollout else None,
        "training": networks,
        "samples": {name: asdict(value) for name, value in spreads.items()},
    }


def _training_summary(rates: TrainingRates) -> dict[str, float]:
    collect, update = spread(rates.collect).median, spread(rates.update).median
    return {
        "steps_per_s": spread(rates.steps_per_s).median,
        "collect_s": collect,
        "update_s": update,
        "update_share": update / (collect + update),
    }
