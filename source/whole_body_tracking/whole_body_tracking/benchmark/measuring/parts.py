"""Time of each part of a control step: timing wrappers around the calls that an environment step consists of."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from .clock import synchronize

if TYPE_CHECKING:
    from .driver import RandomActionDriver

PARTS = (
    "physics", "engine", "actions", "terminations", "rewards", "resets", "command", "events", "observations", "other",
)  # fmt: skip
"""Parts of a control step. ``physics`` is the engine's native step where it can be told from ``engine``, Isaac Lab's
work around it. What several parts share (errors, body states) counts for the part that asks first."""

MDP_PARTS = ("terminations", "rewards", "resets", "command", "events", "observations")


class PartTimer:
    """Sums the time spent in wrapped methods; time in a nested one counts for the inner part only."""

    def __init__(self, device: str):
        self._device = device
        self.seconds: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(2))
        """Wall time and CPU time of each part so far [s]; CPU time is that of all threads."""
        self._wrapped: list[tuple[Any, str]] = []
        self._inner: list[np.ndarray] = []

    def wrap(self, owner: Any, method: str, part: str) -> None:
        """Time an object's method as ``part`` until :meth:`restore`."""
        original = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            started = self._now()
            self._inner.append(np.zeros(2))
            try:
                return original(*args, **kwargs)
            finally:
                duration = self._now() - started
                self.seconds[part] += duration - self._inner.pop()
                if self._inner:
                    self._inner[-1] += duration

        setattr(owner, method, timed)
        self._wrapped.append((owner, method))

    def restore(self) -> None:
        """Remove all wrappers."""
        for owner, method in self._wrapped:
            delattr(owner, method)
        self._wrapped.clear()

    def _now(self) -> np.ndarray:
        synchronize(self._device)
        return np.array([time.perf_counter(), time.process_time()])


def measure_parts(driver: RandomActionDriver, num_steps: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each part in a control step, by part.

    Returns:
        ``parts_ms``, wall time, whose sum is the step; ``parts_cpu_ms``, CPU time of all threads, which other
        processes on the machine hardly change.
    """
    env = driver.env
    timer = PartTimer(env.device)
    for owner, method, part in _calls(env):
        timer.wrap(owner, method, part)
    try:
        driver.step_environment(num_steps)
    finally:
        timer.restore()
    milliseconds = {part: 1e3 * timer.seconds[part] / num_steps for part in PARTS}
    return {
        "parts_ms": {part: float(value[0]) for part, value in milliseconds.items()},
        "parts_cpu_ms": {part: float(value[1]) for part, value in milliseconds.items()},
    }


def _calls(env: Any) -> list[tuple[Any, str, str]]:
    calls = [
        (env, "step", "other"),
        (env.action_manager, "process_action", "actions"),
        (env.action_manager, "apply_action", "actions"),
        (env.scene, "write_data_to_sim", "engine"),
        (env.sim, "step", "engine"),
        (env.scene, "update", "engine"),
        (env.termination_manager, "compute", "terminations"),
        (env.reward_manager, "compute", "rewards"),
        (env, "_reset_idx", "resets"),
        (env.command_manager, "compute", "command"),
        (env.event_manager, "apply", "events"),
        (env.observation_manager, "compute", "observations"),
    ]
    solver = getattr(env.sim.physics_manager, "_solver", None)
    if hasattr(solver, "_stepper"):
        calls.append((solver._stepper, "step", "physics"))
    elif hasattr(solver, "_mujoco_warp_step") and "cuda" not in str(env.device):
        calls.append((solver, "_mujoco_warp_step", "physics"))
    return calls
