"""Environment, native limit and physics alone, side by side in one run."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .clock import Timing, timing_of
from .native import NativeRollout, StepRecorder, has_native_limit, native_rollout_of

if TYPE_CHECKING:
    from .driver import RandomActionDriver

BLOCK_SECONDS = 0.7
"""About how long one timing takes."""

MIN_ROUNDS = 3


@dataclass
class SteppingRates:
    """Environment steps per second, one entry per round."""

    environment: list[float] = field(default_factory=list)
    native_rollout: list[float] = field(default_factory=list)
    """Empty where the engine has no native limit."""
    physics: list[float] = field(default_factory=list)
    environment_cpu_ms: list[float] = field(default_factory=list)
    """CPU time of all threads in a control step [ms]."""
    native_rollout_cpu_ms: list[float] = field(default_factory=list)
    native_rollout_cores: list[float] = field(default_factory=list)
    """Cores that the native limit got: CPU time / wall time."""


def measure_stepping(driver: RandomActionDriver, step_seconds: float, seconds: float) -> SteppingRates:
    """Time the environment, then the same control steps natively, again and again; then physics alone.

    Args:
        driver: Environment with its actions, warmed up.
        step_seconds: About how long an environment step takes [s].
        seconds: Budget [s]; at least :data:`MIN_ROUNDS` rounds are made.
    """
    steps = block_steps(step_seconds)
    measured = SteppingRates()
    _measure_environment(driver, steps, 0.75 * seconds, measured)
    _measure_physics(driver, steps, 0.25 * seconds, measured)
    return measured


def block_steps(step_seconds: float) -> int:
    """Steps of one timing: about :data:`BLOCK_SECONDS`, between 2 and 200."""
    return max(2, min(200, round(BLOCK_SECONDS / step_seconds)))


def _measure_environment(driver: RandomActionDriver, steps: int, seconds: float, measured: SteppingRates) -> None:
    env, deadline = driver.env, time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        recorder = stack.enter_context(StepRecorder(env)) if has_native_limit(env) else None
        native = stack.enter_context(contextlib.closing(native_rollout_of(env))) if recorder else None
        while len(measured.environment) < MIN_ROUNDS or time.monotonic() < deadline:
            timing = timing_of(lambda: driver.step_environment(steps), env.device)
            measured.environment.append(steps * env.num_envs / timing.wall)
            measured.environment_cpu_ms.append(1e3 * timing.cpu / steps)
            if recorder is not None:
                timing = _time_native(native, recorder)
                measured.native_rollout.append(steps * env.num_envs / timing.wall)
                measured.native_rollout_cpu_ms.append(1e3 * timing.cpu / steps)
                measured.native_rollout_cores.append(timing.cpu / timing.wall)


def _time_native(native: NativeRollout, recorder: StepRecorder) -> Timing:
    inputs = native.prepare(recorder.take())
    return timing_of(lambda: native.run(inputs))


def _measure_physics(driver: RandomActionDriver, steps: int, seconds: float, measured: SteppingRates) -> None:
    """Short blocks without resets, each followed by untimed environment steps that bring fallen robots back."""
    env, deadline = driver.env, time.monotonic() + seconds
    steps = min(steps, 10)
    while len(measured.physics) < MIN_ROUNDS or time.monotonic() < deadline:
        timing = timing_of(lambda: driver.step_physics(steps), env.device)
        measured.physics.append(steps * env.num_envs / timing.wall)
        driver.step_environment(2 * steps)
