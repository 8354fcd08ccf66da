"""``--actuators``: stable PD control and muscles, against what they replace."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from whole_body_tracking.actuation.least_squares import compare_with_least_squares
from whole_body_tracking.actuation.measuring import DRIVES, stable_gain_factor, tracking_error
from whole_body_tracking.actuation.muscle_nn import MuscleNN, load_muscle_nn
from whole_body_tracking.actuation.muscle_training import trained_muscle_nn
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.physics.mujoco_cpu_stepper import EnvStepper
from whole_body_tracking.rl.session import resolve_configs, tracking_env
from whole_body_tracking.robots import G1

from .driver import RandomActionDriver
from .machine import describe_machine, load_average

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

PRESET = "spd"
TRAINING_MINUTES = 2.5
STEPS = ((0.005, 1.0), (0.02, 1.0), (0.02, 10.0))
"""Physics step [s] and factor on the gains of the table of tracking errors."""
NUM_ROUNDS = 30


def require_network(args: argparse.Namespace) -> MuscleNN | None:
    """The network that ``--muscle_nn`` names, or None.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no MuscleNN, or one of another robot.
    """
    return None if args.muscle_nn is None else load_muscle_nn(args.muscle_nn, G1)[0]


def measure_actuators(args: argparse.Namespace) -> dict:
    """Measure the G1's actuators; keys are those of docs/actuation.md.

    Raises:
        FileNotFoundError: If the file of ``--muscle_nn`` does not exist.
        ValueError: If it is no MuscleNN, or one of another robot.
    """
    network = require_network(args)
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    drives = {drive: {"stable_gain_factor": stable_gain_factor(G1, drive)} for drive in DRIVES}
    for drive, row in drives.items():
        row["tracking_rmse"] = {
            f"{1e3 * step:g} ms, {factor:g} x": _finite(tracking_error(G1, clip, drive, step, factor))
            for step, factor in STEPS
        }
    if network is None:
        print(f"[INFO] Training a MuscleNN for {TRAINING_MINUTES:g} minutes.", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            network = trained_muscle_nn(G1, Path(folder), TRAINING_MINUTES)
    muscle_nn = compare_with_least_squares(network, G1)
    overhead = measure_overhead(args)
    return {
        "spd": {**drives["spd"], **overhead},
        "implicit": drives["implicit"],
        "explicit": drives["explicit"],
        "muscle_nn": muscle_nn,
        "robot": G1.name,
        "machine": describe_machine("cpu") | {"load_at_end": load_average()},
    }


def measure_overhead(args: argparse.Namespace) -> dict[str, float]:
    """CPU time that stable PD control adds to a control step of a task, over the step's.

    The same control steps are made twice, in turns: with the torques made at every substep, and with the last of them
    held. ``overhead`` is over the whole environment step, ``overhead_of_physics`` over MuJoCo's part.
    """
    sys.argv[1:] = ["physics=mujoco_cpu", f"presets={PRESET}"]
    args = argparse.Namespace(**vars(args) | {"num_envs": args.env_counts[0], "agent": "rsl_rl_cfg_entry_point"})
    env_cfg, agent_cfg = resolve_configs(args)
    with tracking_env(args, env_cfg, agent_cfg) as env:
        driver = RandomActionDriver(env.unwrapped, seed=args.seed)
        driver.step_environment(20)
        started, steps = time.process_time(), 40
        driver.step_environment(steps)
        whole = (time.process_time() - started) / steps
        with_pd, without = _paired_times(env.unwrapped, driver)
    added = with_pd - without
    return {
        "overhead": added / (whole - added),
        "overhead_of_physics": added / without,
        "control_step_cpu_ms": 1e3 * whole,
        "spd_cpu_ms": 1e3 * added,
        "num_envs": args.num_envs,
    }


def _paired_times(env: ManagerBasedRLEnv, driver: RandomActionDriver) -> tuple[float, float]:
    """Median CPU time of a control step's physics with stable PD control and with constant torques [s]."""
    solver, decimation = env.sim.physics_manager._solver, env.cfg.decimation
    data, pd = solver.mjw_data, solver.stable_pd
    plain = EnvStepper(solver.env_models, data, solver._records, solver.num_threads)
    names = ("qpos", "qvel", "qacc_warmstart", "qfrc_applied")
    times: list[list[float]] = [[], []]
    for _ in range(NUM_ROUNDS):
        driver.step_environment(1)
        start = {name: getattr(data, name).numpy().copy() for name in names}
        for turn, stepper in enumerate((solver._stepper, plain)):
            for name, value in start.items():
                getattr(data, name).numpy()[:] = value
            if stepper is plain:
                data.qfrc_applied.numpy()[:] += pd.torque
            began = time.process_time()
            stepper.step(decimation, env.physics_dt, contacts=True, accelerations=False)
            times[turn].append(time.process_time() - began)
        for name, value in start.items():
            getattr(data, name).numpy()[:] = value
    plain.close()
    return float(np.median(times[0])), float(np.median(times[1]))


def _finite(value: float) -> float | None:
    """JSON has no infinity: None says that it diverged."""
    return value if np.isfinite(value) else None


def print_actuators(result: dict) -> None:
    """Print the tables of :func:`measure_actuators`."""
    from rich.console import Console
    from rich.table import Table

    columns = list(result["spd"]["tracking_rmse"])
    table = Table(
        "drive", "stable up to, 20 ms", *(f"rmse (rad), {name}" for name in columns), title="Drives of the G1"
    )
    for drive in DRIVES:
        row = result[drive]
        errors = ("diverged" if value is None else f"{value:.4f}" for value in row["tracking_rmse"].values())
        table.add_row(drive, f"{row['stable_gain_factor']:g} x the gains", *errors)
    console, spd, muscles = Console(), result["spd"], result["muscle_nn"]
    console.print(table)
    console.print(
        f"stable PD adds {spd['overhead']:.1%} to a control step ({spd['overhead_of_physics']:.1%} to its physics):"
        f" {spd['spd_cpu_ms']:.2f} of {spd['control_step_cpu_ms']:.1f} ms CPU with {spd['num_envs']} envs"
    )
    console.print(
        f"MuscleNN: torque error {muscles['torque_error']:.2%} of the limit (least squares"
        f" {muscles['least_squares_error']:.2%}), {muscles['speedup']:.0f} times as fast"
    )
