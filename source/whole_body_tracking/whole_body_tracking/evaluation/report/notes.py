"""Sentences that go with the numbers of an evaluation, in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from whole_body_tracking.evaluation.metrics.lafan1 import is_lafan1_40


def diverged_note(overall: Mapping[str, float]) -> str:
    """Number of rollouts that diverged, as a sentence with a space before it; empty if none did.

    Args:
        overall: Means over rollouts, with ``num_rollouts``.
    """
    total = int(overall["num_rollouts"])
    count = round(overall.get("diverged", 0.0) * total)
    if count == 0:
        return ""
    return (
        f" {count} of {total} rollouts diverged: their state was no longer finite. That step counts as a failure and"
        " is not part of the errors."
    )


def score_name(per_clip: Sequence[Mapping]) -> str:
    """Name of the normalised return in tables: the LAFAN1-40 score if the clips are those of the benchmark.

    Args:
        per_clip: Rows with the clips' names.
    """
    return "LAFAN1-40 score" if is_lafan1_40(row["name"] for row in per_clip) else "normalised return"
