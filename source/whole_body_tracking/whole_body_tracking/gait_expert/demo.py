"""``scripts/gait/demo.py``: data, RefNN, expert and evaluation, through the command lines that a user types."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from whole_body_tracking.files import write_json
from whole_body_tracking.rl.run.launching import read_progress, run_logged, script_command

RANGES = {
    "speed": (0.1, 0.8),
    "cadence": (80, 130),
    "step_width": (0.16, 0.24),
    "clearance": (0.04, 0.09),
    "double_support": (0.2, 0.32),
    "pelvis_height": (0.64, 0.76),
    "torso_pitch": (0, 0.15),
    "pelvis_yaw": (0, 0.1),
    "arm_swing": (0.1, 0.8),
    "turn_rate": (-0.4, 0.4),
    "lateral_speed": (-0.1, 0.1),
}
"""Ranges of the gaits, inside which the planner refuses few."""
TARGETS = {"survived": 0.9, "passed": 0.9}
"""Shares of the held-out gaits that should survive, and at a speed within 10 %."""
REFNN_TARGETS = {"joint_rmse": 0.02, "slip_max": 0.01}
"""Largest error of the joints [rad] and slip of a standing sole [m] that a RefNN should have on held-out gaits."""
PLAY_TASK = "Gait-Flat-G1-v0"
"""Task that gaits are walked in: the full robot, whichever was trained on."""
RUNS = "logs/rsl_rl/*/*"

console = Console()


@dataclass(frozen=True)
class GaitDemoPlan:
    """Settings of a demo, chosen by the machine."""

    task: str
    engine: str
    num_envs: int
    minutes: float
    """Budget of the whole demo."""
    num_data: int
    """Gaits of the data set."""
    epochs: int
    num_gaits: int
    """Held-out gaits."""
    transfer_engine: str | None
    """Engine that training never saw besides plain MuJoCo; None to skip it."""


def make_plan(minutes: float, num_data: int = 1000, num_gaits: int = 64) -> GaitDemoPlan:
    """Choose task, engine and size.

    Args:
        minutes: Budget of the whole demo.
        num_data: Gaits of the data set, of which one in 20 is held out.
        num_gaits: Gaits that the expert is measured on.

    Raises:
        ValueError: If a number is too small.
    """
    import torch

    from whole_body_tracking.physics.ovphysx_cpu import missing_ovphysx_libraries

    for name, value, least in (("minutes", minutes, 1.0), ("num_data", num_data, 20), ("num_gaits", num_gaits, 1)):
        if not value >= least:
            raise ValueError(f"--{name} is {value:g}, expected at least {least:g}.")
    transfer = None if missing_ovphysx_libraries() else "ovphysx"
    sizes = (minutes, num_data, 20, num_gaits, transfer)
    if torch.cuda.is_available():
        return GaitDemoPlan("Gait-Flat-G1-v0", "newton_mjwarp", 4096, *sizes)
    return GaitDemoPlan("Gait-Flat-G1-Demo-v0", "mujoco_cpu", 256, *sizes)


def run_gait_demo(plan: GaitDemoPlan, folder: Path, seed: int) -> dict:
    """Make data, train RefNN and expert, walk held-out gaits, and report; returns the content of ``demo.json``.

    What an earlier run in the folder completed, a data set or a RefNN, is taken as it is.

    Args:
        plan: Settings.
        folder: Where everything is written.
        seed: Of data and training.

    Raises:
        ChildProcessError: If a step fails; the message names its log.
    """
    started, folder = time.monotonic(), folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    console.print(
        f"[bold]An expert for all walks[/bold]: {plan.num_data} gaits, {plan.task} on {plan.engine} with"
        f" {plan.num_envs} envs. Everything is written to {folder}."
    )
    data, model = folder / "gaits", folder / "refnn" / "refnn.npz"
    if not (data / "dataset.json").exists():
        ranges = [text for name, bounds in RANGES.items() for text in ("--range", name, *bounds)]
        _step(folder, "data", "augment.py", "--num_gaits", plan.num_data, "--seed", seed, "--output_dir", data, *ranges)
    if not model.exists():
        arguments = ("--data_dir", data, "--output_dir", model.parent, "--epochs", plan.epochs, "--seed", seed)
        _step(folder, "refnn", "train_forward_gaitnet.py", *arguments)
    measured = folder / "refnn.json"
    _step(
        folder,
        "refnn_held_out",
        "evaluate_forward_gaitnet.py",
        "--model",
        model,
        "--data_dir",
        data,
        "--json",
        measured,
    )
    # Walking 64 gaits takes about a tenth of the budget on each engine.
    left = plan.minutes - (time.monotonic() - started) / 60.0 - 0.25 * plan.minutes
    run = _train(plan, folder, model, seed, max(0.5, left))
    evaluations = {plan.engine: _evaluate(plan, folder, run, model, plan.engine)}
    if plan.transfer_engine is not None:
        evaluations[plan.transfer_engine] = _evaluate(plan, folder, run, model, plan.transfer_engine)
    evaluations["plain MuJoCo"] = _evaluate(plan, folder, run, None, "plain_mujoco")
    return _report(plan, folder, run, json.loads(measured.read_text()), evaluations, time.monotonic() - started)


def _step(folder: Path, step: str, script: str, *arguments: object) -> None:
    started = time.monotonic()
    with console.status(f"{step} ..."):
        run_logged([*script_command("gait", script), *arguments], folder, folder / f"{step}.log")
    console.print(f"[green]done[/green] {step} ({time.monotonic() - started:.0f} s)")


def _train(plan: GaitDemoPlan, folder: Path, model: Path, seed: int, minutes: float) -> Path:
    """Train in a run folder of its own and return it."""
    known = set(folder.glob(RUNS))
    arguments = ["--task", plan.task, "--gait_model", model, "--num_envs", plan.num_envs, "--seed", seed]
    arguments += ["--max_minutes", f"{minutes:.2f}", f"physics={plan.engine}"]
    with Progress(TextColumn("train"), BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn()) as bar:
        task = bar.add_task("starting the simulation", total=60.0 * minutes)

        def watch() -> None:
            rows = [row for run in set(folder.glob(RUNS)) - known for row in read_progress(run)]
            if rows:
                text = f"iteration {rows[-1]['iteration']:.0f}, reward {rows[-1]['mean_reward']:.1f}"
                bar.update(task, completed=rows[-1]["total_time"], description=text)

        run_logged([*script_command("rsl_rl", "train.py"), *arguments], folder, folder / "train.log", watch)
    return (set(folder.glob(RUNS)) - known).pop()


def _evaluate(plan: GaitDemoPlan, folder: Path, run: Path, model: Path | None, engine: str) -> dict:
    output = folder / f"walks_{engine}.json"
    arguments = ["--num_gaits", plan.num_gaits, "--json", output]
    if model is None:
        arguments += ["--policy", run / "exported" / "policy.onnx"]
    else:
        arguments += ["--task", PLAY_TASK, "--gait_model", model, "--checkpoint", run, f"physics={engine}"]
    _step(folder, f"walk_{engine}", "evaluate_expert.py", *arguments)
    return json.loads(output.read_text())["summary"]


def _report(plan: GaitDemoPlan, folder: Path, run: Path, refnn: dict, walks: dict[str, dict], seconds: float) -> dict:
    rows = read_progress(run)
    content = {
        "plan": asdict(plan),
        "minutes": seconds / 60.0,
        "refnn": refnn,
        "training": {
            "iterations": len(rows),
            "env_steps": rows[-1]["total_steps"],
            "minutes": rows[-1]["total_time"] / 60.0,
            "mean_reward": rows[-1]["mean_reward"],
        },
        "walks": walks,
        "not_reached": unmet_targets(refnn, walks),
        "files": {"policy": str(run / "exported" / "policy.onnx"), "refnn": str(folder / "refnn" / "refnn.npz")},
    }
    write_json(folder / "demo.json", content)
    return content


def unmet_targets(refnn: dict[str, float], walks: dict[str, dict[str, float]]) -> list[str]:
    """Sentences that say which targets are missed, and by what."""
    missed = [
        f"RefNN: {name} is {refnn[name]:.3g}, not at most {most:g}"
        for name, most in REFNN_TARGETS.items()
        if not refnn[name] <= most
    ]
    wording = {"survived": "survive", "passed": "survive at a speed within 10 %"}
    for engine, found in walks.items():
        missed += [
            f"{engine}: {found[name]:.0%} of the gaits {wording[name]}, not {least:.0%}"
            for name, least in TARGETS.items()
            if not found[name] >= least
        ]
    return missed


def print_report(content: dict) -> None:
    """Print the table of a demo."""
    table = Table("engine", "gaits", "survive", "and speed within 10 %", "mean time", "speed error")
    for engine, found in content["walks"].items():
        table.add_row(
            engine,
            f"{found['num_gaits']}",
            f"{found['survived']:.0%}",
            f"{found['passed']:.0%}",
            f"{found['survived_s']:.1f} s",
            f"{found['speed_error_median']:.1%}" if "speed_error_median" in found else "-",
        )
    console.print(table)
    training, refnn = content["training"], content["refnn"]
    console.print(
        f"RefNN: joints {refnn['joint_rmse']:.4f} rad, slip at most {1000.0 * refnn['slip_max']:.1f} mm. Expert:"
        f" {training['iterations']} iterations, {training['env_steps'] / 1e6:.2f} M steps in {training['minutes']:.1f}"
        f" min. In all {content['minutes']:.1f} min."
    )
    for sentence in content["not_reached"]:
        console.print(f"[yellow]Not yet:[/yellow] {sentence}.")
    for name, path in content["files"].items():
        console.print(f"{name}: {path}")
