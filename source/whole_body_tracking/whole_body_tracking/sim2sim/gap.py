"""How far sim2sim is from an evaluation of the same policy in Isaac Lab."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path

from whole_body_tracking.export.spec import PolicySpec


@dataclass(frozen=True)
class Baseline:
    """Numbers of an evaluation for one clip."""

    values: dict[str, float]
    engine: str


def read_baseline(path: str | Path, clip_sha256: str, spec: PolicySpec) -> Baseline:
    """Read an evaluation's ``report.json``.

    Args:
        path: The report.
        clip_sha256: Digest of the clip that sim2sim plays.
        spec: Of the policy; a report of another checkpoint gives a warning.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no report, or it does not hold the clip.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text())
        clips, rows = content["clips"], content["per_clip"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no report of evaluate.py: {type(error).__name__} {error}.") from None
    names = [name for name, digest in clips.items() if digest == clip_sha256]
    if not names:
        raise ValueError(
            f"{path} evaluates the clips {list(clips)}, none of which is the one played here (SHA-256"
            f" {clip_sha256[:12]}...). Evaluate the policy on this clip, or play one of those with --motion_file."
        )
    if content.get("checkpoint") != spec.checkpoint:
        warnings.warn(
            f"{path} is of checkpoint {content.get('checkpoint')}, the policy of {spec.checkpoint}.", stacklevel=2
        )
    row = next(row for row in rows if row["name"] == names[0])
    values = {name: float(value) for name, value in row.items() if name not in ("name", "num_rollouts")}
    return Baseline(values, str(content.get("engine", "Isaac Lab")))


def gaps(overall: dict[str, float], baseline: Baseline) -> dict[str, float]:
    """Sim2sim minus Isaac Lab, for every metric that both have."""
    return {name: value - baseline.values[name] for name, value in overall.items() if name in baseline.values}


def table(overall: dict[str, float], baseline: Baseline | None) -> str:
    """Lines of metric and value; with a baseline also its value and the gap."""
    if baseline is None:
        return "\n".join(f"{name:>20}: {value:.4f}" for name, value in overall.items())
    gap = gaps(overall, baseline)
    lines = [f"{'':>20}  {'MuJoCo':>10} {baseline.engine:>10} {'gap':>10}"]
    for name, value in overall.items():
        compared = f" {baseline.values[name]:>10.4f} {gap[name]:>+10.4f}" if name in gap else ""
        lines.append(f"{name:>20}: {value:>10.4f}{compared}")
    return "\n".join(lines)
