"""Sentences that go with the numbers of an evaluation, in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Mapping


def diverged_note(overall: Mapping[str, float]) -> str:
    """How many rollouts diverged, as a sentence with a space before it; empty if none did.

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
