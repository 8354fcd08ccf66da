"""A slider that a person moves, and that follows when its value is changed by other means."""

from __future__ import annotations

from collections.abc import Callable

import viser

DECIMALS = 2
"""Of what a slider shows."""


def _at_once(act: Callable[[], None]) -> None:
    act()


class LiveSlider:
    """Slider of a value that keys, sticks or a new start change, too."""

    def __init__(
        self,
        gui: viser.GuiApi,
        label: str,
        limits: tuple[float, float],
        get: Callable[[], float],
        ask: Callable[[float], None],
        later: Callable[[Callable[[], None]], None] = _at_once,
    ):
        """Add it.

        Args:
            gui: Of the server.
            label: What it says.
            limits: Lowest and highest value; shown rounded.
            get: Present value.
            ask: Called with what a person wants. It may take the nearest value that is possible.
            later: Takes the call of ``ask``, for a loop that makes it; default: it is made at once.
        """
        self._get, self._ask, self._seen = get, ask, get()
        low, high = (round(limit, DECIMALS) for limit in limits)
        shown = min(high, max(low, round(self._seen, DECIMALS)))
        self.handle = gui.add_slider(label, min=low, max=high, step=10.0**-DECIMALS, initial_value=shown)

        @self.handle.on_update
        def _(event: viser.GuiEvent) -> None:
            if event.client is not None:  # else it is follow() that moved it
                value = float(event.target.value)
                later(lambda: self.move(value))

    def move(self, value: float) -> None:
        """Do what a person who moves it to a value does."""
        self._ask(value)
        self._seen = self._get()

    def follow(self) -> None:
        """Call often: moves it if the value was changed by other means since."""
        value = self._get()
        if value != self._seen:
            self._seen = value
            self.handle.value = min(self.handle.max, max(self.handle.min, round(value, DECIMALS)))
