"""The 40 clips of the LAFAN1-40 benchmark: Unitree's retargeting of LAFAN1 to the G1."""

from __future__ import annotations

from collections.abc import Iterable

SUBJECTS = {
    "dance1": "123",
    "dance2": "12345",
    "fallAndGetUp1": "145",
    "fallAndGetUp2": "23",
    "fallAndGetUp3": "1",
    "fight1": "235",
    "fightAndSports1": "14",
    "jumps1": "125",
    "run1": "25",
    "run2": "14",
    "sprint1": "24",
    "walk1": "125",
    "walk2": "134",
    "walk3": "12345",
    "walk4": "1",
}
"""Subjects of each motion, a digit each."""

LAFAN1_40 = frozenset(f"{motion}_subject{subject}" for motion, subjects in SUBJECTS.items() for subject in subjects)
"""Names of the clips."""


def is_lafan1_40(names: Iterable[str]) -> bool:
    """Whether clips are exactly those of the benchmark, by name."""
    names = list(names)
    return len(names) == len(LAFAN1_40) and set(names) == LAFAN1_40
