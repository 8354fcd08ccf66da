"""How much of a training is done, by iterations and by wall time."""

from __future__ import annotations

import time


class TrainingBudget:
    """Iterations and, if limited, minutes of a training; its clock starts when it is made."""

    def __init__(self, max_iterations: int, max_minutes: float | None = None):
        """Start the clock.

        Args:
            max_iterations: Iterations of the run, those of earlier sessions included.
            max_minutes: Wall time of this session [min]; None for no limit.
        """
        self.max_iterations, self.max_minutes = max_iterations, max_minutes
        self._start = time.monotonic()

    def used(self, iterations_done: int) -> float:
        """Share that is used after so many iterations, in [0, 1]: of iterations or time, whichever is larger."""
        share = iterations_done / self.max_iterations
        if self.max_minutes is not None:
            share = max(share, self._minutes / self.max_minutes)
        return min(share, 1.0)

    @property
    def is_over(self) -> bool:
        """Whether the wall time has passed."""
        return self.max_minutes is not None and self._minutes >= self.max_minutes

    @property
    def _minutes(self) -> float:
        return (time.monotonic() - self._start) / 60.0
