"""Real time: waiting for deadlines, and stopping when asked to."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

LARGEST_BACKLOG = 0.05
"""Delay up to which missed deadlines are made up for [s]; beyond it the clock starts anew."""


class Pacer:
    """Deadlines at a fixed rate on this machine's clock."""

    def __init__(self, period: float):
        """Start now.

        Args:
            period: Time between deadlines [s].
        """
        self._period, self._next = period, time.monotonic() + period
        self.lost = 0.0
        """Time by which the clock was set back, because deadlines were missed by too much [s]."""

    def wait(self) -> None:
        """Sleep until the next deadline; returns at once if it has passed."""
        now = time.monotonic()
        if now < self._next:
            time.sleep(self._next - now)
        elif now - self._next > LARGEST_BACKLOG:
            self.lost += now - self._next
            self._next = now
        self._next += self._period


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set instead of ending the process."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
