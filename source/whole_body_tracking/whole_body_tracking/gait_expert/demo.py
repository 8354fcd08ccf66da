"""``scripts/gait/demo.py``: data, RefNN, expert and evaluation, through the command lines that a user types."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from whole_body_tracking.files import write_json
from whole_body_tracking.rl.run.launching import latest_progress, read_progress, script_command, train_to_end

from .demo_steps import DemoSteps, console

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
PLAIN = "plain MuJoCo"
MEASURED, BUDGET = "refnn.json", "budget.json"
"""Files of the RefNN's held-out errors and of the training's share of the budget, in the demo's folder."""
TRAINING = "expert"
"""Folder of the training in the demo's."""
WALK_MINUTES = 0.5, 0.025
"""Time that walking takes on an engine: to start it, and per gait [min]."""
EPOCHS = 80
"""Of the RefNN: with 20 a standing sole slips by up to 15 mm, with 80 by about 10."""
LEAST_TRAINING = 0.5
"""Time to train if the budget leaves none [min]."""
MOST_WORKERS = 8
"""Processes that plan the data set, at most."""


@dataclass(frozen=True)
class GaitDemoPlan:
    """Settings of a demo, chosen by the machine."""

    task: str
    presets: str | None
    """Of the training; None for the task as it is."""
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
    sizes = (minutes, num_data, EPOCHS, num_gaits, transfer)
    if torch.cuda.is_available():
        return GaitDemoPlan("Gait-Flat-G1-v0", None, "newton_mjwarp", 4096, *sizes)
    return GaitDemoPlan("Gait-Flat-G1-Demo-v0", "rand_push,rand_friction", "mujoco_cpu", 256, *sizes)


def run_gait_demo(plan: GaitDemoPlan, folder: Path, seed: int) -> dict:
    """Make data, train RefNN and expert, walk held-out gaits, and report; returns the content of ``demo.json``.

    What an earlier session in the folder completed is taken as it is: a data set, a RefNN, walks; a data set that is
    half made and a training that was stopped go on.

    Args:
        plan: Settings.
        folder: Where everything is written.
        seed: Of data and training.

    Raises:
        ChildProcessError: If a step fails; the message names its log.
        ValueError: If the folder holds a demo with other settings.
        KeyboardInterrupt: If it was stopped.
    """
    folder = folder.absolute()
    steps = DemoSteps(folder, plan.minutes)
    console.print(
        f"[bold]An expert for all walks[/bold]: {plan.num_data} gaits, {plan.task} on {plan.engine} with"
        f" {plan.num_envs} envs, about {plan.minutes:.0f} minutes. Everything is written to {folder}."
    )
    if steps.used:
        console.print(f"Going on with the demo in this folder, which has taken {steps.used:.1f} minutes so far.")
    try:
        model = _make_refnn(plan, steps, seed)
        run = _train(plan, steps, model, seed)
        engines = [plan.engine, *([plan.transfer_engine] if plan.transfer_engine else []), PLAIN]
        walks = {engine: _walk(plan, steps, run, model, engine) for engine in engines}
    except KeyboardInterrupt:
        console.print("[yellow]Stopped.[/yellow] The same command goes on from here.")
        raise
    return _report(plan, steps, run, walks)


def _make_refnn(plan: GaitDemoPlan, steps: DemoSteps, seed: int) -> Path:
    """Data set, RefNN and its errors on held-out gaits, unless they are there."""
    data, model, measured = (steps.folder / part for part in ("gaits", "refnn/refnn.npz", MEASURED))
    if not (data / "dataset.json").exists():
        arguments = ["--num_gaits", plan.num_data, "--seed", seed, "--output_dir", data]
        arguments += ["--num_workers", min(MOST_WORKERS, os.cpu_count() or 1)]
        arguments += [text for name, bounds in RANGES.items() for text in ("--range", name, *bounds)]
        steps.run("data", [*script_command("gait", "augment.py"), *arguments])
    if not model.exists():
        arguments = ["--data_dir", data, "--output_dir", model.parent, "--epochs", plan.epochs, "--seed", seed]
        steps.run("refnn", [*script_command("gait", "train_forward_gaitnet.py"), *arguments])
    if not _is_newer(measured, model):
        arguments = ["--model", model, "--data_dir", data, "--json", measured]
        steps.run("refnn_held_out", [*script_command("gait", "evaluate_forward_gaitnet.py"), *arguments])
    return model


def _train(plan: GaitDemoPlan, steps: DemoSteps, model: Path, seed: int) -> Path:
    """Train the expert for what the walks leave of the budget, on from where an earlier session was; its run folder."""
    folder, budget = steps.folder / TRAINING, steps.folder / BUDGET
    arguments = ["--task", plan.task, "--gait_model", model, "--num_envs", plan.num_envs, "--seed", seed]
    arguments += ["--max_iterations", 1_000_000, f"physics={plan.engine}"]
    arguments += [f"presets={plan.presets}"] if plan.presets else []
    minutes = json.loads(budget.read_text())["training_minutes"] if budget.is_file() else _training_minutes(plan, steps)
    write_json(budget, {"training_minutes": minutes})

    def look() -> tuple[float, str, float]:
        row = latest_progress(folder)
        if row is None:
            return 0.0, "starting the simulation", minutes
        done = row["total_time"] / 60.0
        text = f"iteration {row['iteration']:.0f}, reward {row['mean_reward']:.1f}"
        return min(1.0, done / minutes), text, max(0.0, minutes - done)

    found: list[Path] = []
    steps.watched("train", lambda watch: found.append(train_to_end(folder, arguments, minutes, watch)), look)
    return found[0]


def _training_minutes(plan: GaitDemoPlan, steps: DemoSteps) -> float:
    """What the walks leave of the budget."""
    start, per_gait = WALK_MINUTES
    num_engines = 3 if plan.transfer_engine else 2
    return round(max(LEAST_TRAINING, steps.left - num_engines * (start + per_gait * plan.num_gaits)), 2)


def _walk(plan: GaitDemoPlan, steps: DemoSteps, run: Path, model: Path, engine: str) -> dict:
    """Summary of the held-out gaits on an engine, walked unless they were with this policy."""
    name = engine.replace(" ", "_").lower()
    output, policy = steps.folder / f"walks_{name}.json", run / "exported" / "policy.onnx"
    if _is_newer(output, policy):
        found = json.loads(output.read_text())["summary"]
        if found["num_gaits"] == plan.num_gaits:
            return found
    arguments = ["--num_gaits", plan.num_gaits, "--json", output]
    if engine == PLAIN:
        arguments += ["--policy", policy]
    else:
        arguments += ["--task", PLAY_TASK, "--gait_model", model, "--checkpoint", run, f"physics={engine}"]
    steps.run(f"walk_{name}", [*script_command("gait", "evaluate_expert.py"), *arguments])
    return json.loads(output.read_text())["summary"]


def _is_newer(path: Path, other: Path) -> bool:
    """Whether a file exists and was written after another one."""
    return path.is_file() and path.stat().st_mtime >= other.stat().st_mtime


def _report(plan: GaitDemoPlan, steps: DemoSteps, run: Path, walks: dict[str, dict]) -> dict:
    rows, refnn = read_progress(run), json.loads((steps.folder / MEASURED).read_text())
    content = {
        "plan": asdict(plan),
        "minutes": steps.used,
        "refnn": refnn,
        "training": {
            "iterations": len(rows),
            "env_steps": rows[-1]["total_steps"],
            "minutes": rows[-1]["total_time"] / 60.0,
            "mean_reward": rows[-1]["mean_reward"],
        },
        "walks": walks,
        "not_reached": unmet_targets(refnn, walks),
        "files": {
            "policy": str(run / "exported" / "policy.onnx"),
            "refnn": str(steps.folder / "refnn" / "refnn.npz"),
        },
    }
    write_json(steps.folder / "demo.json", content)
    return content


def unmet_targets(refnn: dict[str, float | None], walks: dict[str, dict[str, float]]) -> list[str]:
    """Sentences that say which targets are missed, and by what."""
    missed = [
        f"RefNN: {name} is {'unknown: nobody walks' if refnn[name] is None else format(refnn[name], '.3g')}, not at"
        f" most {most:g}"
        for name, most in REFNN_TARGETS.items()
        if refnn[name] is None or not refnn[name] <= most
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
        f"RefNN: joints {refnn['joint_rmse']:.4f} rad, {_slip_text(refnn['slip_max'])}. Expert:"
        f" {training['iterations']} iterations, {training['env_steps'] / 1e6:.2f} M steps in {training['minutes']:.1f}"
        f" min. In all {content['minutes']:.1f} min."
    )
    for sentence in content["not_reached"]:
        console.print(f"[yellow]Not yet:[/yellow] {sentence}.")
    for name, path in content["files"].items():
        console.print(f"{name}: {path}", soft_wrap=True)  # a path that can be copied


def _slip_text(slip: float | None) -> str:
    return "nobody walks" if slip is None else f"slip at most {1000.0 * slip:.1f} mm"
