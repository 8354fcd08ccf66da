"""Walking windows of a motion and the gait cycles in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .contacts import Stance

SHORTEST_STEP, LONGEST_STEP = 0.2, 1.6
"""Time from one touchdown to the next of a walk [s]."""
FARTHEST_STEP = 1.0
"""Distance between two places of a walking G1's feet [m]."""
LONGEST_FLIGHT = 0.1
"""Both feet in the air for longer is a run [s]; shorter is mocap whose feet slide when they touch down or lift off."""
FEWEST_STEPS = 3
"""A window has a whole cycle: left, right, left."""


@dataclass(frozen=True)
class Window:
    """A stretch of walking: touchdowns of alternating feet, never long in the air."""

    stances: list[Stance]
    """In the order of their touchdowns."""

    @property
    def start(self) -> float:
        """First touchdown [s]."""
        return self.stances[0].start

    @property
    def end(self) -> float:
        """Last touchdown [s]."""
        return self.stances[-1].start

    @property
    def num_steps(self) -> int:
        return len(self.stances) - 1

    def cycles(self) -> list[tuple[Stance, Stance, Stance]]:
        """Touchdowns left, right, left of every cycle; right, left, right if there is none."""
        triples = list(zip(self.stances, self.stances[1:], self.stances[2:], strict=False))
        return [triple for triple in triples if triple[0].foot == 0] or triples


def walking_windows(stances: list[Stance]) -> list[Window]:
    """Longest stretches of walking with at least one whole cycle.

    Args:
        stances: Of both feet, sorted by their touchdowns.
    """
    windows, current = [], []
    for stance in stances:
        if not np.isfinite(stance.start):
            continue
        if current and not _follows(current[-1], stance):
            windows.append(current)
            current = []
        current.append(stance)
    windows.append(current)
    return [Window(found) for found in windows if len(found) >= FEWEST_STEPS]


def _follows(last: Stance, new: Stance) -> bool:
    """Whether a touchdown is the next step of a walk."""
    return (
        new.foot != last.foot
        and SHORTEST_STEP <= new.start - last.start <= LONGEST_STEP
        and new.start - last.end <= LONGEST_FLIGHT
        and float(np.linalg.norm(new.place - last.place)) <= FARTHEST_STEP
    )
