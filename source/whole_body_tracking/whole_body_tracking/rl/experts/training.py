"""``train_experts.py``: one expert for each motion, each an ordinary run of ``train.py`` in a process of its own."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from whole_body_tracking.tasks.tracking.config_check import load_task_clips
from whole_body_tracking.tasks.tracking.mdp.reference.motion_loading import load_entries

from ..cli import parse_args
from ..overrides import OVERRIDE, split_overrides
from ..run.ray_options import add_ray_args, ray_options
from ..run.ray_queue import run_on_ray
from ..session import resolve_configs
from ..training import train_parser
from .job import ExpertJob, make_job
from .queue import make_slots, run_queue
from .table import TABLE_FILE, ExpertTable, read_experts

OWN_FLAGS = ("--checkpoint", "--wandb_path", "--run_name", "--distributed", "--run_timestamp")
"""Flags of ``train.py`` that cannot be the same for all experts."""


@dataclass
class ExpertsResult:
    """Experts that a call trained, and those that failed."""

    table: ExpertTable
    failed: dict[str, str]
    """Why an expert has not been trained, by motion."""


def train_experts(argv: Sequence[str], report: Callable[[str], None] = print) -> ExpertsResult:
    """Train one expert for each motion as a command line says; see ``train_experts.py --help``.

    Args:
        argv: Command line.
        report: Called with a line for each event.

    Raises:
        FileNotFoundError: If a motion does not exist.
        KeyboardInterrupt: On SIGTERM or Ctrl-C; trainings in progress have saved.
        ValueError: If an argument, config or motion is wrong, or the folder holds other experts.
    """
    args, arguments = parse_command_line(argv)
    folder = Path(args.output_dir).absolute()
    jobs = plan_jobs(args, arguments, folder)
    table = open_table(folder / TABLE_FILE, arguments, jobs)
    finished = [job for job in jobs if job.is_finished]
    folder.mkdir(parents=True, exist_ok=True)
    for job in finished:
        table = table.with_expert(job.finish())
    table.save()
    result = ExpertsResult(table, {})
    report(f"[INFO] {len(jobs)} motions, {len(finished)} of them have an expert. Table: {table.path}")
    waiting = [job for job in jobs if job not in finished]

    def ended(job: ExpertJob, error: Exception | None) -> None:
        _note(result, job, error, report)

    if args.ray_options is None:
        run_queue(waiting, make_slots(args.devices, args.jobs), ended)
    else:
        run_on_ray(waiting, args.ray_options, folder, ended, report)
    return result


def parse_command_line(argv: Sequence[str]) -> tuple[argparse.Namespace, tuple[str, ...]]:
    """Own arguments, and the command line of ``train.py`` that all experts share, without motions and device.

    Raises:
        ValueError: If an argument is wrong.
    """
    tokens, _ = split_overrides(argv)
    args, passed_on = _parser().parse_known_args(tokens)
    wrong = [token for token in passed_on if token.split("=")[0] in OWN_FLAGS]
    if wrong:
        raise ValueError(f"{', '.join(wrong)}: not for all experts at once. Interrupted ones continue by themselves.")
    args.ray_options = ray_options(args)
    _choose_devices(args)
    given = [token for token in argv if OVERRIDE.match(token)]  # as typed: train.py quotes lists itself
    return args, ("--task", args.task, *passed_on, *given)


def plan_jobs(args: argparse.Namespace, arguments: tuple[str, ...], folder: Path) -> list[ExpertJob]:
    """Jobs of all motions; resolves the configs that ``train.py`` will resolve, so that mistakes show now.

    Raises:
        FileNotFoundError: If a motion does not exist.
        ValueError: If an argument, config or motion is wrong, or two motions have one name.
    """
    motions = [token for name in ("motion_file", "registry_name") for token in _flag(args, name)]
    train_args = parse_args(train_parser("Train experts."), [*arguments, *motions, "--device", args.devices[0]])
    env_cfg, _ = resolve_configs(train_args)
    clips = load_task_clips(env_cfg)
    entries = load_entries(env_cfg.commands.motion.motion_files, env_cfg.commands.motion.motion_split)
    return [
        make_job(entry, clip.digest, arguments, args.task, folder, args.max_minutes)
        for entry, clip in zip(entries, clips, strict=True)
    ]


def open_table(path: Path, arguments: tuple[str, ...], jobs: Sequence[ExpertJob]) -> ExpertTable:
    """The table of an earlier call with the same arguments, or a new one.

    Raises:
        ValueError: If the file is not a table, or its experts were trained otherwise or on another version of a clip.
    """
    if not path.exists():
        return ExpertTable(path, arguments)
    table = read_experts(path)
    if table.arguments != arguments:
        raise ValueError(
            f"{path} lists experts trained with `{' '.join(table.arguments)}`, now `{' '.join(arguments)}`. Repeat the"
            " command as it was, or choose another --output_dir."
        )
    for job in jobs:
        expert = table.find(job.name)
        if expert is not None and expert.sha256 != job.sha256:
            raise ValueError(
                f"{path} has an expert of another '{job.name}': its clip has the digest {expert.sha256[:12]}, this one"
                f" {job.sha256[:12]}. Rename the clip, or choose another --output_dir."
            )
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Train one expert for each motion. The same command continues what was interrupted.",
        epilog="Other flags and overrides go to every train.py.",
        allow_abbrev=False,
    )
    parser.add_argument("--task", required=True, help="Task to train.")
    parser.add_argument("--motion_file", nargs="+", default=None, metavar="PATH", help="Clips, as for train.py.")
    parser.add_argument("--registry_name", nargs="+", default=None, metavar="NAME", help="W&B names, as for train.py.")
    parser.add_argument(
        "--devices",
        "--device",
        nargs="+",
        default=None,
        metavar="DEVICE",
        help="cpu or cuda:N; several train at the same time.",
    )
    parser.add_argument("--jobs", type=int, default=None, help="Trainings at the same time on each device; default: 1.")
    parser.add_argument("--max_minutes", type=float, default=None, help="Training time of each expert [min].")
    parser.add_argument("--output_dir", default="experts", help="Folder of the experts and of experts.yaml.")
    add_ray_args(parser)
    return parser


def _flag(args: argparse.Namespace, name: str) -> list[str]:
    values = getattr(args, name)
    return [f"--{name}", *values] if values else []


def _choose_devices(args: argparse.Namespace) -> None:
    """Fill in devices and jobs; on Ray each job gets a device from the cluster."""
    if args.ray_options is not None:
        if args.devices or args.jobs:
            raise ValueError(
                "--devices and --jobs are for this machine; with --ray use --gpu_per_worker and --num_workers."
            )
        args.devices = ["cpu"]  # for checking the configs; this machine need not have the cluster's GPUs
        return
    args.jobs = 1 if args.jobs is None else args.jobs
    if args.jobs < 1:
        raise ValueError(f"--jobs is {args.jobs}, expected at least 1.")
    args.devices = args.devices or ["cuda:0" if torch.cuda.is_available() else "cpu"]
    _require_devices(args.devices)


def _require_devices(devices: Sequence[str]) -> None:
    known = ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    missing = [device for device in devices if device not in known]
    if missing:
        raise ValueError(f"--devices names {', '.join(missing)}. This machine has: {', '.join(known)}.")


def _note(result: ExpertsResult, job: ExpertJob, error: Exception | None, report: Callable[[str], None]) -> None:
    if error is not None:
        result.failed[job.name] = str(error)
        report(f"[ERROR] {job.name}: {error}")
        return
    expert = job.finish()
    result.table = result.table.with_expert(expert)
    result.table.save()
    report(f"[INFO] {job.name}: trained, {expert.path}")
