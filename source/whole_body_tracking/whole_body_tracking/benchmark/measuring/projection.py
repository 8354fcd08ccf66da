"""Rates projected from CPU times to a machine that nobody else uses."""

from __future__ import annotations


def project(environment_ms: float, native_ms: float, physics_ms: float, num_threads: int, num_envs: int) -> dict:
    """Rates on ``num_threads`` free cores, from CPU times of a control step.

    Physics is spread evenly over the threads, everything else of the environment runs on one of them::

        environment = (environment_ms - physics_ms) + physics_ms / num_threads,   native = native_ms / num_threads

    Args:
        environment_ms: CPU time of an environment step, all threads [ms].
        native_ms: CPU time of the same control step in the native limit [ms].
        physics_ms: CPU time of the engine's native step within ``environment_ms`` [ms].
        num_threads: Threads of the engine.
        num_envs: Number of envs.
    """
    environment = environment_ms - physics_ms + physics_ms / num_threads
    native = native_ms / num_threads
    return {
        "threads": num_threads,
        "environment_steps_per_s": 1e3 * num_envs / environment,
        "native_rollout_steps_per_s": 1e3 * num_envs / native,
        "ratio_environment_to_native": native / environment,
    }
