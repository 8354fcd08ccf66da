"""Run the benchmark of a command line: one environment per process, measured part by part."""

from __future__ import annotations

import argparse
import copy
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

from isaaclab.utils.seed import configure_seed

from whole_body_tracking.evaluation.provenance import engine_name
from whole_body_tracking.rl.session import resolve_configs, resolve_motions, tracking_env
from whole_body_tracking.tasks.tracking.config.g1.agents.rsl_rl_ppo_cfg import G1TrackingDemoPPORunnerCfg

from .command_line import parse
from .measuring.driver import RandomActionDriver
from .measuring.launches import measure_launches
from .measuring.machine import describe_machine, load_average
from .measuring.native import has_native_limit, num_engine_threads
from .measuring.parts import measure_parts
from .measuring.projection import project
from .measuring.stepping import measure_stepping
from .measuring.training import measure_training, network_name
from .peer import measure_peer, require_peer
from .result import STABLE_KEYS, compare, read_result, write_result
from .summary import summarize
from .table import print_result


def benchmark(argv: list[str]) -> dict:
    """Measure as a command line says, print the tables, write the JSON; returns the result.

    Raises:
        FileNotFoundError: If a file that a flag names does not exist.
        ValueError: If an argument or config is wrong.
        ChildProcessError: If the peer was asked for and cannot be measured.
    """
    args = parse(argv)
    if args.actuators:
        return _benchmark_actuators(args)
    if args.trainer == "world_model":
        return _benchmark_world_model(args)
    earlier = None if args.compare is None else read_result(args.compare)
    if args.peer_python is not None:
        require_peer(args.peer_python)
    if len(args.env_counts) == 1:
        result = measure(args, args.env_counts[0], sys.argv[1:])
    else:
        results = {num_envs: _measure_in_process(args, num_envs) for num_envs in args.env_counts}
        result = next(iter(results.values()))
        result["by_num_envs"] = {str(n): {key: other[key] for key in STABLE_KEYS} for n, other in results.items()}
    if args.peer_python is not None:
        peer = measure_peer(args.peer_python, args.env_counts[0])
        result["peer"] = peer
        result["ratio_environment_to_peer"] = result["environment_steps_per_s"] / peer["environment_steps_per_s"]
    print_result(result, None if earlier is None else compare(result, earlier))
    if args.output is not None:
        write_result(args.output, result)
        print(f"[INFO] Written: {args.output}")
    return result


def _benchmark_actuators(args: argparse.Namespace) -> dict:
    from .measuring.actuators import measure_actuators, print_actuators

    result = measure_actuators(args)
    print_actuators(result)
    return _written(args, result)


def _benchmark_world_model(args: argparse.Namespace) -> dict:
    from .measuring.world_model import measure_world_model, render

    result = measure_world_model(args, args.env_counts[0])
    print(render(result))
    return _written(args, result)


def _written(args: argparse.Namespace, result: dict) -> dict:
    """A result, written to ``--output`` if that was asked for."""
    if args.output is not None:
        write_result(args.output, result)
        print(f"[INFO] Written: {args.output}")
    return result


def measure(args: argparse.Namespace, num_envs: int, overrides: list[str]) -> dict:
    """Measure one number of envs in this process, with these Hydra overrides."""
    sys.argv[1:] = overrides
    args = argparse.Namespace(**vars(args) | {"num_envs": num_envs, "agent": "rsl_rl_cfg_entry_point"})
    env_cfg, agent_cfg = resolve_configs(args)
    machine = describe_machine(env_cfg.sim.device) | {"load_at_start": load_average()}
    with tracking_env(args, env_cfg, agent_cfg) as env:
        configure_seed(env_cfg.seed, torch_deterministic=args.device == "cpu")
        driver = RandomActionDriver(env.unwrapped, seed=args.seed)
        step_seconds = driver.warm_up(0.1 * args.seconds)
        stepping = measure_stepping(driver, step_seconds, 0.45 * args.seconds)
        parts = measure_parts(driver, max(2, min(100, round(0.05 * args.seconds / step_seconds))))
        launches = measure_launches(driver)
        training = measure_training(env, _agents(agent_cfg), 0.4 * args.seconds)
        extras = _extras(env, agent_cfg, args) if args.all else None
        threads = num_engine_threads(env.unwrapped) if has_native_limit(env.unwrapped) else None
    rates = summarize(stepping, training, network_name(agent_cfg))
    return {
        **rates,
        "task": args.task,
        "engine": engine_name(env_cfg.sim.physics),
        "num_envs": num_envs,
        "seconds": args.seconds,
        **parts,
        **launches,
        "projected": None if threads is None else _project(rates, parts, threads, num_envs),
        "machine": machine | {"load_at_end": load_average()},
        **({} if extras is None else {"extras": extras}),
    }


def _project(rates: dict, parts: dict, num_threads: int, num_envs: int) -> dict:
    physics_ms = parts["parts_cpu_ms"]["physics"]
    return project(rates["environment_cpu_ms"], rates["native_rollout_cpu_ms"], physics_ms, num_threads, num_envs)


def _agents(agent_cfg) -> list:
    """The task's own agent, and the same with the demo's networks."""
    demo, small = G1TrackingDemoPPORunnerCfg(), copy.deepcopy(agent_cfg)
    small.actor.hidden_dims, small.critic.hidden_dims = demo.actor.hidden_dims, demo.critic.hidden_dims
    return [agent_cfg] if network_name(small) == network_name(agent_cfg) else [agent_cfg, small]


def _extras(env, agent_cfg, args: argparse.Namespace) -> dict:
    from .measuring.extras import measure_extras

    return measure_extras(env, agent_cfg, args.task, resolve_motions(args))


def _measure_in_process(args: argparse.Namespace, num_envs: int) -> dict:
    """An engine is not built twice in one process: measure in a fresh one."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measure, args, num_envs, sys.argv[1:]).result()
