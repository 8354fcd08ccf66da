"""An iteration of world-model training, part by part."""

from __future__ import annotations

import argparse
import statistics
import time

from whole_body_tracking.evaluation.provenance import engine_name
from whole_body_tracking.rl.session import resolve_configs, tracking_env
from whole_body_tracking.world_model.job import IterationTimes, WorldModelJob
from whole_body_tracking.world_model.progress import TrainingProgress
from whole_body_tracking.world_model.settings import WorldModelSettings
from whole_body_tracking.world_model.training import configure

from .clock import timing_of
from .machine import describe_machine, load_average

MIN_ITERATIONS = 2


def measure_world_model(args: argparse.Namespace, num_envs: int) -> dict:
    """Fill the buffer as a training does, then iterate for ``args.seconds``; nothing of the run is written.

    Returns:
        Medians of an iteration: wall time of its parts [s], CPU time [s], and environment steps per second of wall
        time.
    """
    flags = {"agent": "rsl_rl_cfg_entry_point", "max_iterations": None, "max_minutes": None, "until": None}
    args = argparse.Namespace(**vars(args) | flags | {"num_envs": num_envs, "no_clips": True})
    settings = WorldModelSettings(warmup_updates=1)  # how good the model is does not change what it costs
    env_cfg, agent_cfg = resolve_configs(args)
    terms = configure(args, env_cfg, agent_cfg, settings)
    machine = describe_machine(env_cfg.sim.device) | {"load_at_start": load_average()}
    with tracking_env(args, env_cfg, agent_cfg) as env, TrainingProgress() as bar:
        job = WorldModelJob(args, env, agent_cfg, None, terms, settings, bar)
        job.warm_up()
        times: list[IterationTimes] = []
        timings, deadline = [], time.monotonic() + args.seconds
        while len(times) < MIN_ITERATIONS or time.monotonic() < deadline:
            timings.append(timing_of(lambda: times.append(job.advance()), env.device))
    seconds = statistics.median(timing.wall for timing in timings)
    return {
        "trainer": "world_model",
        "task": args.task,
        "engine": engine_name(env_cfg.sim.physics),
        "num_envs": num_envs,
        "iterations": len(times),
        "iteration_s": seconds,
        "iteration_cpu_s": statistics.median(timing.cpu for timing in timings),
        **{f"{name}_s": statistics.median(getattr(row, name) for row in times) for name in vars(times[0])},
        "environment_steps_per_s": settings.collect_steps * num_envs / seconds,
        "machine": machine | {"load_at_end": load_average()},
    }


def render(result: dict) -> str:
    """The result as lines for a terminal."""
    parts = "simulation", "model", "policy"
    lines = [
        f"{result['task']}, {result['engine']}, {result['num_envs']} envs: world model, median of"
        f" {result['iterations']} iterations",
        *(f"{name:>12}: {result[f'{name}_s']:.3f} s" for name in parts),
        f"{'iteration':>12}: {result['iteration_s']:.3f} s ({result['iteration_cpu_s']:.3f} s of CPU time)",
        f"{'env steps/s':>12}: {result['environment_steps_per_s']:.0f}",
    ]
    return "\n".join(lines)
