"""Difference between sim2sim's metrics and those of an evaluation of the same policy in Isaac Lab."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from whole_body_tracking.export.spec import PolicySpec

NO_METRICS = ("name", "num_rollouts")
"""Columns of a clip's row that are not metrics."""


@dataclass(frozen=True)
class Baseline:
    """Metrics of an evaluation in Isaac Lab, averaged over the clips that are compared."""

    values: dict[str, float]
    engine: str


def read_baseline(path: str | Path, digests: Sequence[str], spec: PolicySpec) -> Baseline:
    """Read an evaluation's ``report.json``.

    Args:
        path: The report.
        digests: SHA-256 of the clips that sim2sim plays; the numbers are means over these.
        spec: Of the policy; a report of another checkpoint gives a warning.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a report, or lacks one of the clips.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text())
        clips, rows = content["clips"], {row["name"]: row for row in content["per_clip"]}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a report of evaluate.py: {type(error).__name__} {error}.") from None
    names = {digest: name for name, digest in clips.items()}
    missing = [digest for digest in digests if names.get(digest) not in rows]
    if missing:
        raise ValueError(
            f"{path} evaluates the clips {list(clips)}, none of which is the one played here (SHA-256"
            f" {missing[0][:12]}...). Evaluate the policy on this clip, or play one of those with --motion_file."
        )
    if content.get("checkpoint") != spec.checkpoint:
        warnings.warn(
            f"{path} is of checkpoint {content.get('checkpoint')}, the policy of {spec.checkpoint}.", stacklevel=2
        )
    values = mean_of([rows[names[digest]] for digest in digests])
    return Baseline(values, str(content.get("engine", "Isaac Lab")))


def mean_of(rows: Sequence[dict]) -> dict[str, float]:
    """Mean of every metric over the rows that have it."""
    metrics = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in NO_METRICS]
    return {name: fmean(float(row[name]) for row in rows if name in row) for name in metrics}


def gaps(overall: dict[str, float], baseline: Baseline) -> dict[str, float]:
    """Difference of every common metric, sim2sim minus Isaac Lab."""
    return {name: value - baseline.values[name] for name, value in overall.items() if name in baseline.values}


def table(overall: dict[str, float], baseline: Baseline | None) -> str:
    """Table of the metrics as text; with a baseline also its values and the differences."""
    if baseline is None:
        return "\n".join(f"{name:>20}: {value:.4f}" for name, value in overall.items())
    gap = gaps(overall, baseline)
    lines = [f"{'':>20}  {'MuJoCo':>10} {baseline.engine:>10} {'gap':>10}"]
    for name, value in overall.items():
        compared = f" {baseline.values[name]:>10.4f} {gap[name]:>+10.4f}" if name in gap else ""
        lines.append(f"{name:>20}: {value:>10.4f}{compared}")
    return "\n".join(lines)
