"""Values that several terms read at one instant, computed by the first that asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class StepCache[Owner]:
    """Results of functions of one owner, kept for as long as they hold.

    What depends on the reference alone holds until the reference moves (:meth:`until_invalidated`); what depends on the
    robot holds until the next physics step, too (:meth:`this_step`). Whoever moves the reference or writes a state to
    the simulator calls :meth:`invalidate`; a new step is noticed by its number.
    """

    def __init__(self, owner: Owner, step: Callable[[], int]):
        """Create an empty cache.

        Args:
            owner: What the functions are called with.
            step: Returns the number of the control step in progress, which grows as soon as physics has run.
        """
        self._owner, self._step = owner, step
        self._of_reference: dict[Callable, Any] = {}
        self._of_step: dict[Callable, Any] = {}
        self._number = -1

    def until_invalidated[T](self, compute: Callable[[Owner], T]) -> T:
        """Return ``compute(owner)`` of the last call of :meth:`invalidate` or later."""
        if compute not in self._of_reference:
            self._of_reference[compute] = compute(self._owner)
        return self._of_reference[compute]

    def this_step[T](self, compute: Callable[[Owner], T]) -> T:
        """Return ``compute(owner)`` of this step, and of the last call of :meth:`invalidate` or later."""
        number = self._step()
        if number != self._number:
            self._of_step.clear()
            self._number = number
        if compute not in self._of_step:
            self._of_step[compute] = compute(self._owner)
        return self._of_step[compute]

    def invalidate(self) -> None:
        """Forget everything: the reference moved, or a state was written to the simulator."""
        self._of_reference.clear()
        self._of_step.clear()
