"""Joint targets that reach the drives late, by whole physics steps."""

from __future__ import annotations

from collections import deque

import numpy as np


class DelayLine:
    """Targets on their way. Before the first one has arrived it acts already, as at a training's reset."""

    def __init__(self, delay: float, substeps: int):
        """Start empty.

        Args:
            delay: How late targets are [control steps]; rounded to whole physics steps.
            substeps: Physics steps of a control step.

        Raises:
            ValueError: If the delay is negative.
        """
        if delay < 0.0:
            raise ValueError(f"A delay of {delay:g} control steps would act before its cause. Expected 0 or more.")
        self._whole, self._rest = divmod(round(delay * substeps), substeps)
        self._substeps = substeps
        self._sent: deque[np.ndarray] = deque(maxlen=self._whole + 2)

    def reset(self) -> None:
        """Forget what is on its way."""
        self._sent.clear()

    def send(self, targets: np.ndarray) -> list[tuple[np.ndarray, int]]:
        """Take a control step's targets, and say what acts during it.

        A delay of w whole control steps and r physics steps: for r of them the targets of w + 1 steps ago, for the
        others those of w steps ago.

        Returns:
            Targets and how many physics steps they act, in the order of time; the numbers add up to a control step.
        """
        self._sent.append(targets)
        newest = len(self._sent) - 1
        parts = ((self._whole + 1, self._rest), (self._whole, self._substeps - self._rest))
        return [(self._sent[max(0, newest - age)], count) for age, count in parts if count]
