"""``run_policy.py``: the controller as a process on the wire."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from .control.controller import Controller
from .pacing import stop_signals
from .protocol.dds import DdsLink

POLL = 0.005
"""Longest wait for a state before the watchdog is asked [s]."""
PATIENCE = 0.5
"""Time without a state after which the robot counts as gone [s]."""
LAST_WORDS = 0.1
"""How long damping is commanded at the end of a run [s]."""


class Operator(Protocol):
    """Who tells the controller what to do."""

    def poll(self, controller: Controller) -> bool:
        """Act, and say whether the run is over."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    reason: str
    trip: str | None
    finished: list[str]
    """Clips that were tracked to their end."""
    jitter_p99: float
    """99th percentile of how far the time between two policy steps is from the policy's period [s]."""
    counts: dict

    def is_good(self, must_finish: bool) -> bool:
        """Whether nothing tripped and, if it had to, a clip was tracked to its end."""
        is_gone = self.reason.startswith("the robot has sent")
        return self.trip is None and not is_gone and (bool(self.finished) or not must_finish)


def run_controller(
    link: DdsLink,
    controller: Controller,
    operators: list[Operator],
    seconds: float | None = None,
    patience: float = 10.0,
    record: Path | None = None,
) -> Outcome:
    """Answer the robot's states until an operator quits, the robot goes away, or time is up.

    Args:
        link: The wire.
        controller: What answers.
        operators: Who steers it.
        seconds: Longest duration of the run [s].
        patience: How long to wait for the first state [s].
        record: File to write the run to.

    Raises:
        TimeoutError: If no state comes at all.
    """
    started = time.monotonic()
    with stop_signals() as stop:
        reason = None
        while reason is None:
            _answer(link, controller)
            waited = time.monotonic() - started
            if controller.readings is None and waited > patience:
                raise TimeoutError(_nobody(controller, patience))
            reason = _end(controller, operators, stop.is_set(), seconds, waited)
        _say_goodbye(link, controller)
    outcome = Outcome(
        reason=reason,
        trip=None if controller.safety.trip is None else controller.safety.trip.message,
        finished=list(controller.finished),
        jitter_p99=jitter(controller.loop.step_times, controller.tracker.spec.control_dt),
        counts=controller.counts(),
    )
    if record is not None:
        controller.loop.recorder.save(record, {"reason": reason, "trip": outcome.trip, **outcome.counts})
    return outcome


def jitter(step_times: list[float], period: float, percentile: float = 99.0) -> float:
    """Percentile of the distance of the time between steps from the period [s]; 0 with fewer than three steps."""
    if len(step_times) < 3:
        return 0.0
    return float(np.percentile(np.abs(np.diff(step_times) - period), percentile))


def _answer(link: DdsLink, controller: Controller) -> None:
    states = link.receive(POLL)
    for data in states:
        command = controller.on_state(data)
        if command is not None:
            link.send(command)
    if not states:
        command = controller.on_silence()
        if command is not None:
            link.send(command)


def _end(
    controller: Controller, operators: list[Operator], is_stopped: bool, seconds: float | None, waited: float
) -> str | None:
    if is_stopped:
        return "stopped by a signal"
    if seconds is not None and waited > seconds:
        return f"{seconds:g} s are over"
    if controller.readings is not None and controller.silence > PATIENCE:
        return f"the robot has sent no valid state for {controller.silence:.1f} s"
    if controller.safety.trip is not None and controller.silence > 10 * POLL:
        return None  # it may be gone for good, which is the better message
    if any(operator.poll(controller) for operator in operators):
        return "the operator quit" if controller.safety.trip is None else "the safety layer tripped"
    return None


def _say_goodbye(link: DdsLink, controller: Controller) -> None:
    """Command damping for a moment: a single message may get lost."""
    command, ends = controller.stop(), time.monotonic() + LAST_WORDS
    while command is not None and time.monotonic() < ends:
        link.send(command)
        time.sleep(0.005)


def _nobody(controller: Controller, patience: float) -> str:
    refused = sum(controller.inbox.refused.values())
    heard = f"{refused} messages were refused, the last one for its {controller.inbox.last_refusal}" if refused else ""
    return (
        f"No valid state came within {patience:g} s{': ' + heard if heard else ''}. Check that the robot, or"
        " robot_sim.py, is on, in the same DDS domain and on the network of this interface."
    )
