"""The benchmark's JSON: keys that other programs read, written completely or not at all, compared key by key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from whole_body_tracking.files import write_atomically

STABLE_KEYS = (
    "environment_steps_per_s",
    "physics_steps_per_s",
    "training_steps_per_s",
    "native_rollout_steps_per_s",
)
"""Environment steps per second; the last one is null where the engine has no native limit."""

NOT_COMPARED = ("machine", "samples", "num_envs", "seconds", "threads", "native_rollout_cores")
"""Parts of the JSON that say how it was measured, not how fast anything is."""


def write_result(path: Path, result: Mapping) -> None:
    """Write a result as JSON.

    Raises:
        FileNotFoundError: If the folder does not exist.
    """
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"Cannot write {path}: the folder {path.absolute().parent} does not exist.")
    write_atomically(path, json.dumps(result, indent=2, allow_nan=False) + "\n")


def read_result(path: Path) -> dict:
    """Read what :func:`write_result` wrote.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a result of this benchmark.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no earlier result {path}. Write one with --output.")
    try:
        result = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    missing = [key for key in STABLE_KEYS if key not in result] if isinstance(result, dict) else list(STABLE_KEYS)
    if missing:
        raise ValueError(f"{path} is not a result of this benchmark: it lacks {missing}. Write one with --output.")
    return result


def compare(new: Mapping, old: Mapping) -> dict[str, float]:
    """Ratio new / old of every number that both results have, by dotted key."""
    now, before = flatten(new), flatten(old)
    return {key: now[key] / before[key] for key in now if before.get(key)}


def flatten(result: Mapping, prefix: str = "") -> dict[str, float]:
    """Numbers of a nested result by dotted key, without those that say how it was measured."""
    numbers: dict[str, float] = {}
    for key, value in result.items():
        if key in NOT_COMPARED:
            continue
        if isinstance(value, Mapping):
            numbers |= flatten(value, f"{prefix}{key}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            numbers[prefix + key] = float(value)
    return numbers
