"""``make demo``: from a CSV to a policy that tracks it, through the command lines that a user types.

Every step runs one of the scripts in a process of its own; this module chooses settings for the machine, shows
progress, and reports what came out, including what the policy cannot do yet.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from whole_body_tracking.names import require_known
from whole_body_tracking.rl.run.launching import read_progress, run_logged, script_command, torchrun_command
from whole_body_tracking.world_model.settings import WorldModelSettings

from .learning_curves import plot_progress

TARGETS = {"success": 0.90, "tracking_reward": 0.80, "r_mpkpe": 0.07}
"""What the demo's policy should reach: at least, at least, at most [m]."""

OVERHEAD_MINUTES = 2.0
"""Time for converting, starting simulations, playing and reporting [min]."""

TRAINERS = ("auto", "world_model", "ppo")
"""``auto`` is the world model on a CPU, which takes fewer steps there (docs/world_model.md), and PPO elsewhere."""
TRAINER_SENTENCES = {
    "world_model": "The trainer is the learned world model, which needs fewer steps than PPO: docs/world_model.md.",
    "ppo": "The trainer is PPO.",
}
WORLD_MODEL_SETTINGS = ("env.rewards.motion_global_anchor_pos.weight=2.0",)
"""It imagines two thirds of a second, in which a walk gains little by going back to its place."""
CPU_ENVS = 256
MOST_PROCESSES = 2
"""On a CPU: the world model's small operations keep one core busy each, and more were not measured."""

RUNS = "logs/rsl_rl/*/*"
"""Run folders below the demo's folder."""

console = Console()


@dataclass(frozen=True)
class DemoPlan:
    """Settings of a demo, chosen by the machine."""

    train_task: str
    play_task: str
    num_envs: int
    engine: str
    training_minutes: float
    transfer_engine: str | None
    """Engine that training never saw, on which the policy is played too; None to skip it."""
    settings: tuple[str, ...] = ()
    """Overrides of training and playing."""
    training_settings: tuple[str, ...] = ()
    """Overrides of training alone."""
    trainer: str = "ppo"
    """``world_model`` or ``ppo``."""
    num_processes: int = 1
    """Processes that train together and share :attr:`num_envs`."""


def make_plan(total_minutes: float, trainer: str = "auto") -> DemoPlan:
    """Choose task, engine, trainer and size: Newton with 4096 envs on CUDA, native MuJoCo with 256 on a CPU.

    Args:
        total_minutes: Budget of the whole demo [min]; all but :data:`OVERHEAD_MINUTES` of it goes into training.
        trainer: One of :data:`TRAINERS`.

    Raises:
        ValueError: If the budget leaves no time to train, or there is no such trainer for this machine.
    """
    require_known(trainer, TRAINERS, "trainer")
    import torch

    from whole_body_tracking.physics.ovphysx_cpu import missing_ovphysx_libraries

    training_minutes = total_minutes - OVERHEAD_MINUTES
    if training_minutes < 0.25:
        raise ValueError(
            f"A demo needs at least {OVERHEAD_MINUTES + 0.25:g} minutes, got {total_minutes:g}:"
            f" {OVERHEAD_MINUTES:g} go into everything but training."
        )
    transfer = None if missing_ovphysx_libraries() else "ovphysx"
    if torch.cuda.is_available():
        if trainer == "world_model":
            raise ValueError("The demo's plan for a GPU is PPO's: see docs/world_model.md for the world model on one.")
        return DemoPlan("Tracking-Flat-G1-v0", "Tracking-Flat-G1-v0", 4096, "newton_mjwarp", training_minutes, transfer)
    by_model = trainer != "ppo"
    settings = ("env.commands.motion.start_sampling=adaptive",)
    return DemoPlan(
        train_task="Tracking-Flat-G1-Demo-v0",
        play_task="Tracking-Flat-G1-Residual-v0",
        num_envs=CPU_ENVS,
        engine="mujoco_cpu",
        training_minutes=training_minutes,
        transfer_engine=transfer,
        settings=("env.actions.joint_pos.center=joint_target",),
        training_settings=(*settings, *WORLD_MODEL_SETTINGS) if by_model else settings,
        trainer="world_model" if by_model else "ppo",
        num_processes=min(MOST_PROCESSES, os.cpu_count() or 1) if by_model else 1,
    )


def run_demo(
    motion_csv: Path,
    folder: Path,
    total_minutes: float,
    seed: int,
    frame_range: tuple[int, int] | None = None,
    trainer: str = "auto",
) -> dict:
    """Convert, train, export, play and report; returns the report's content.

    Args:
        motion_csv: Motion in Unitree's CSV convention at 30 frames per second.
        folder: Folder for everything that the demo writes; runs go to ``logs/`` in it.
        total_minutes: Budget of the whole demo [min].
        seed: Seed of training and evaluation.
        frame_range: First and last row of the CSV to keep, 1-based, both included; None keeps all.
        trainer: One of :data:`TRAINERS`.

    Raises:
        ChildProcessError: If a step fails; the message names its log.
    """
    plan = make_plan(total_minutes, trainer)
    folder.mkdir(parents=True, exist_ok=True)
    console.print(
        f"[bold]Tracking {motion_csv.stem}[/bold] with {plan.train_task} on {plan.engine}, {plan.num_envs} envs,"
        f" {os.cpu_count()} cores. {TRAINER_SENTENCES[plan.trainer]}\n"
        f"This takes about {total_minutes:.0f} minutes, {plan.training_minutes:.1f} of them"
        f" training. Everything is written to {folder}."
    )
    clip = folder / f"{motion_csv.stem}.npz"
    conversion = ["--input_file", motion_csv, "--input_fps", 30, "--output_file", clip]
    conversion += ["--frame_range", *frame_range] if frame_range else []
    _step(folder, "convert", "csv_to_npz.py", *conversion)
    run = _train(plan, folder, clip, seed)
    evaluations = {plan.engine: _evaluate(plan, folder, clip, run, seed, plan.engine, 64)}
    if plan.transfer_engine is not None:
        name = plan.transfer_engine
        evaluations[name] = _evaluate(plan, folder, clip, run, seed, name, 16)
    return _report(plan, folder, run, evaluations)


def _step(folder: Path, step: str, script: str, *arguments: object) -> None:
    with console.status(f"{step} ..."):
        started = time.monotonic()
        run_logged([*script_command(*script.split("/")), *arguments], folder, folder / f"{step}.log")
    console.print(f"[green]done[/green] {step} ({time.monotonic() - started:.0f} s)")


def _train(plan: DemoPlan, folder: Path, clip: Path, seed: int) -> Path:
    """Train in a run folder of its own, which earlier demos in the same folder do not have, and return it."""
    known = set(folder.glob(RUNS))
    arguments = ["--motion_file", clip, "--seed", seed, "--max_minutes", plan.training_minutes]
    command = [*training_command(plan), *arguments, f"physics={plan.engine}", *plan.settings, *plan.training_settings]
    bar = Progress(TextColumn("train"), BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with bar:
        task = bar.add_task("starting the simulation", total=60.0 * plan.training_minutes)

        def watch() -> None:
            rows = [row for run in set(folder.glob(RUNS)) - known for row in read_progress(run)]
            if rows:
                bar.update(task, completed=rows[-1]["total_time"], description=_describe(rows[-1]))

        run_logged(command, folder, folder / "train.log", watch)
    return (set(folder.glob(RUNS)) - known).pop()


def training_command(plan: DemoPlan) -> Sequence[object]:
    """Start of the command line of a plan's training: trainer, task and sizes, of which each process has its share."""
    task = ["--task", plan.train_task, "--num_envs", plan.num_envs // plan.num_processes]
    if plan.trainer == "ppo":
        return [*script_command("rsl_rl", "train.py"), *task]
    if plan.num_processes == 1:
        return [*script_command("world_model", "train.py"), *task]
    whole = WorldModelSettings()
    for name in ("model_batch", "policy_batch", "buffer_size"):
        task += [f"--{name}", getattr(whole, name) // plan.num_processes]
    return [*torchrun_command(plan.num_processes, "world_model", "train.py"), *task]


def _describe(row: dict[str, float]) -> str:
    return (
        f"iteration {row['iteration']:.0f}, {row['total_steps'] / 1e6:.2f} M steps, reward {row['mean_reward']:.1f},"
        f" {row['robot_seconds_per_failure']:.1f} robot-seconds per failure"
    )


def _evaluate(plan: DemoPlan, folder: Path, clip: Path, run: Path, seed: int, engine: str, num_envs: int) -> dict:
    output = folder / f"evaluation_{engine}"
    arguments = ["--task", plan.play_task, "--motion_file", clip, "--checkpoint", run, "--num_envs", num_envs]
    arguments += ["--seed", seed, "--output_dir", output, f"physics={engine}", *plan.settings]
    _step(folder, f"play_{engine}", "rsl_rl/evaluate.py", *arguments)
    return json.loads((output / "report.json").read_text())["overall"]


def _report(plan: DemoPlan, folder: Path, run: Path, evaluations: dict[str, dict]) -> dict:
    rows = read_progress(run)
    first, last = between_failures(rows[:5]), between_failures(rows[-max(10, len(rows) // 10) :])
    plot_progress(rows, folder / "training.png")
    met = {engine: unmet_targets(overall) for engine, overall in evaluations.items()}
    content = {
        "plan": asdict(plan),
        "training": {
            "iterations": len(rows),
            "env_steps": rows[-1]["total_steps"],
            "minutes": rows[-1]["total_time"] / 60.0,
            "robot_seconds_per_failure": {"untrained": first, "trained": last},
            "curve": [[row["total_steps"], row["mean_reward"], row["robot_seconds_per_failure"]] for row in rows],
        },
        "evaluation": evaluations,
        "not_reached": met,
        "files": {
            "policy": str(run / "exported" / "policy.onnx"),
            "page": str(folder / f"evaluation_{plan.engine}" / "played.html"),
            "plot": str(folder / "training.png"),
        },
    }
    (folder / "demo.json").write_text(json.dumps(content, indent=2) + "\n")
    _print_report(content)
    return content


def between_failures(rows: Sequence[dict[str, float]]) -> float:
    """Robot time per failure over several rows of a ``progress.csv`` [s]; all of their time if nothing failed.

    A row of the world model's has an iteration of 8 steps, which is too short to be told alone.
    """
    seconds = sum(row["robot_seconds_per_failure"] * max(1.0, row["failures"]) for row in rows)
    return seconds / max(1.0, sum(row["failures"] for row in rows))


def unmet_targets(overall: dict[str, float]) -> list[str]:
    """Sentences that say which targets an evaluation misses, and by what."""
    wording = {
        "success": "finishes the clip in {found:.0%} of the rollouts, not in {target:.0%}",
        "tracking_reward": "collects {found:.0%} of the tracking reward, not {target:.0%}",
        "r_mpkpe": "is off by {found:.3f} m in the mean, more than {target:.2f} m",
    }
    missed = [name for name in ("success", "tracking_reward") if overall[name] < TARGETS[name]]
    missed += ["r_mpkpe"] * (overall["r_mpkpe"] > TARGETS["r_mpkpe"])
    return [wording[name].format(found=overall[name], target=TARGETS[name]) for name in missed]


def _print_report(content: dict) -> None:
    training = content["training"]
    mtbf = training["robot_seconds_per_failure"]
    console.print(
        f"\nTrained {training['iterations']} iterations, {training['env_steps'] / 1e6:.2f} M steps in"
        f" {training['minutes']:.1f} min. Robot-seconds per failure: {mtbf['untrained']:.1f} -> {mtbf['trained']:.1f}."
    )
    table = Table("engine", "rollouts", "finish", "completion", "tracking", "position", "joints")
    for engine, overall in content["evaluation"].items():
        table.add_row(
            engine,
            f"{overall['num_rollouts']:.0f}",
            f"{overall['success']:.0%}",
            f"{overall['completion']:.0%}",
            f"{overall['tracking_reward']:.0%}",
            f"{100 * overall['r_mpkpe']:.1f} cm",
            f"{overall['joint_rmse']:.1f} deg",
        )
    console.print(table)
    for engine, sentences in content["not_reached"].items():
        for sentence in sentences:
            console.print(f"[yellow]Not yet:[/yellow] on {engine} the policy {sentence}.")
    for name, path in content["files"].items():
        console.print(f"{name}: {path}")
