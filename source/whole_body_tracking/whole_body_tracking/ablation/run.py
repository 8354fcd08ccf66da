"""``ablate.py``: every variant with every seed, for the same budget, under the same evaluation."""

from __future__ import annotations

import argparse
import contextlib
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import torch
from isaaclab.utils import validate
from isaaclab_tasks.utils import resolve_task_config
from rich.console import Console

from whole_body_tracking.evaluation.metrics.definitions import DEFINITIONS
from whole_body_tracking.evaluation.walking.recording import DEFINITIONS as WALK_DEFINITIONS
from whole_body_tracking.evaluation.walking.run import LONGEST_WALK, joined_command
from whole_body_tracking.files import write_atomically, write_json, write_table
from whole_body_tracking.locomotion.command import VelocityCommand
from whole_body_tracking.motion.sources.motion_entries import resolve_items
from whole_body_tracking.rl.amp.settings import check_amp
from whole_body_tracking.rl.cli import require_known_task
from whole_body_tracking.rl.overrides import CONFIG_PATH, OVERRIDE, require_known_paths, split_overrides
from whole_body_tracking.rl.run.ray_options import RayOptions, add_ray_args, ray_options
from whole_body_tracking.tasks.locomotion.command_check import velocity_cfg_of
from whole_body_tracking.tasks.tracking.config_check import check_task_clips
from whole_body_tracking.tasks.tracking.task_reference import gait_cfg_of, motion_cfg_of

from .cell import Cell, Plan
from .plot import plot_summary
from .running import console, run_cells
from .summary import render, summarise
from .variants import TASK, Variant, is_variant, parse_variants

AGENT = "rsl_rl_cfg_entry_point"
OWN_FLAGS = ("--checkpoint", "--resume", "--seed", "--run_name", "--experiment_name", "--registry_name", "--agent")
"""Flags of ``train.py`` that would make the cells of an ablation differ, or that it sets itself."""


@dataclass
class AblationResult:
    """Results of an ablation."""

    rows: list[dict]
    """One a cell: variant, seed, run folder, budget spent and every metric of the evaluation."""
    summary: list[dict]
    """One a variant: mean and standard deviation of each over seeds."""
    folder: Path
    """Where ``ablation.json``, ``ablation.csv`` and ``ablation.txt`` are."""


def ablate(argv: list[str]) -> AblationResult:
    """Run an ablation as a command line says; see ``ablate.py --help``.

    Raises:
        ChildProcessError: If a training or evaluation fails.
        FileNotFoundError: If a motion or a file of variants does not exist.
        ValueError: If an argument, a variant or a motion is wrong, or the folder holds another ablation.
    """
    args, plan, variants = parse_command_line(argv)
    for variant in variants:
        check_variant(plan, variant)
    folder = Path(args.output_dir).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    cells = [Cell(variant, seed, folder / variant.name / f"seed_{seed}") for seed in args.seeds for variant in variants]
    rows: dict[Cell, dict] = {}

    def done(cell: Cell, row: dict) -> AblationResult:
        rows[cell] = row
        return _write(folder, plan, variants, [rows[cell] for cell in cells if cell in rows])

    result = run_cells(cells, plan, args.ray_options, folder, done)
    console.print(render(result.summary))
    return result


def parse_command_line(argv: Sequence[str]) -> tuple[argparse.Namespace, Plan, list[Variant]]:
    """Parse a command line into arguments, plan and variants.

    Raises:
        FileNotFoundError: If a motion or a file of variants does not exist.
        ValueError: If an argument is wrong.
    """
    argv = joined_command(list(argv))
    configs = [token for token in argv if OVERRIDE.match(token) and not is_variant(token)]
    _, overrides = split_overrides(configs)
    args, passed_on = _parser().parse_known_args([token for token in argv if token not in configs])
    wrong = [token for token in passed_on if token.split("=")[0] in OWN_FLAGS]
    if wrong:
        raise ValueError(f"{', '.join(wrong)}: an ablation sets these itself; seeds are given as --seeds.")
    if args.max_iterations is None and args.max_minutes is None:
        raise ValueError("Give every training the same budget: --max_iterations N, --max_minutes M, or both.")
    if len(set(args.seeds)) != len(args.seeds):
        raise ValueError(f"Every seed counts once, found {args.seeds}.")
    require_known_task(args.task)
    require_known_task(args.eval_task or args.task)
    _check_walk(args)
    args.ray_options = _options_on_ray(args)
    iterations = [] if args.max_iterations is None else ["--max_iterations", str(args.max_iterations)]
    plan = Plan(
        task=args.task,
        eval_task=args.eval_task or args.task,
        motions=tuple(resolve_items(args.motion_file or [])),
        train_arguments=(*iterations, *passed_on),
        overrides=tuple(overrides),
        max_minutes=args.max_minutes,
        num_episodes=args.eval_episodes,
        device=args.device,
        command=args.command,
        seconds=args.seconds,
    )
    return args, plan, parse_variants(args.variants)


def _check_walk(args: argparse.Namespace) -> None:
    if args.command is not None:
        VelocityCommand.parse(args.command)
        if args.eval_task:
            raise ValueError("--command walks exported policies in plain MuJoCo: leave --eval_task out.")
    if not 2.0 < args.seconds <= LONGEST_WALK:
        raise ValueError(f"--seconds is {args.seconds:g}, expected more than 2 and at most {LONGEST_WALK:g}.")


def check_variant(plan: Plan, variant: Variant) -> None:
    """Resolve a variant's configs for training and evaluation, so that a mistake shows before hours of training.

    Raises:
        ValueError: If a preset, an override or a motion does not fit; the message names the variant.
    """
    tasks = [(variant.task or plan.task, [*plan.overrides, *variant.overrides])]
    if variant.task is not None:
        require_known_task(variant.task)
    if plan.command is None:
        played = plan.evaluate_command(variant, Path())
        tasks.append((plan.eval_task, [token for token in played if "=" in token and not token.startswith("-")]))
    for task, tokens in tasks:
        selectors = [token for token in tokens if not CONFIG_PATH.match(token)]
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                require_known_paths(tokens, *resolve_task_config(task, AGENT, overrides=selectors))
                env_cfg, agent_cfg = resolve_task_config(task, AGENT, overrides=tokens)
            _check_task(plan, env_cfg, agent_cfg)
        except (ValueError, OSError) as error:
            raise type(error)(f"Variant '{variant.name}' on {task}: {error}") from None


def _check_task(plan: Plan, env_cfg, agent_cfg) -> None:
    """Check clips, priors, the RefNN and AMP's numbers as a training would, before a simulator starts."""
    motion = motion_cfg_of(env_cfg)
    if plan.motions:
        if motion is None:
            raise ValueError("it tracks no clips: leave --motion_file out.")
        motion.motion_files = list(plan.motions)
    if plan.command is None:
        check_task_clips(env_cfg) if velocity_cfg_of(env_cfg) is None else validate(env_cfg)
    else:
        _require_walker(env_cfg)
        validate(env_cfg)
    check_amp(env_cfg, agent_cfg)


def _require_walker(env_cfg) -> None:
    if velocity_cfg_of(env_cfg) is None and gait_cfg_of(env_cfg) is None:
        raise ValueError("--command is for tasks that walk by command, and this one tracks clips: leave it out.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Train variants of a task for the same budget and seeds, and evaluate them all in the same way.",
        epilog="Other flags and overrides go to every training.",
        allow_abbrev=False,
    )
    parser.add_argument("--task", required=True, help="Task to train.")
    parser.add_argument("--eval_task", default=None, help="Task to evaluate on; default: the trained one.")
    parser.add_argument("--motion_file", nargs="+", default=None, metavar="PATH", help="Clips, as for train.py.")
    parser.add_argument(
        "--variants",
        nargs="+",
        required=True,
        metavar="VARIANT",
        help='baseline, presets by name ("a,b+c" are two variants), name="key=value ..." or a YAML file.',
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="Seeds of every variant.")
    parser.add_argument("--max_iterations", type=int, default=None, help="Iterations of each training.")
    parser.add_argument("--max_minutes", type=float, default=None, help="Training time of each run [min].")
    parser.add_argument("--eval_episodes", type=int, default=64, help="Rollouts of each evaluation.")
    parser.add_argument(
        "--command",
        metavar="vx=X,heading=H",
        help="Evaluate exported policies in plain MuJoCo, walking so: for variants with task=NAME, too.",
    )
    parser.add_argument("--seconds", type=float, default=10.0, metavar="S", help="Length of such a walk (%(default)s).")
    parser.add_argument("--device", default="cuda:0" if torch.cuda.is_available() else "cpu", help="cpu or cuda:N.")
    parser.add_argument("--output_dir", default="ablation", help="Folder of everything; the same one continues.")
    add_ray_args(parser)
    return parser


def _options_on_ray(args: argparse.Namespace) -> RayOptions | None:
    """Options of ``--ray``; a job takes a GPU if the ablation is to run on one."""
    options = ray_options(args)
    if options is None:
        return None
    if args.device not in ("cpu", "cuda:0"):
        raise ValueError(f"--device {args.device}: with --ray each job has its own GPU. Give cuda:0 or cpu.")
    if options.gpu_per_worker is None:
        return replace(options, gpu_per_worker=float(args.device == "cuda:0"))
    if bool(options.gpu_per_worker) != (args.device == "cuda:0"):
        raise ValueError(f"--device {args.device} does not fit --gpu_per_worker {options.gpu_per_worker:g}.")
    return options


def _write(folder: Path, plan: Plan, variants: Sequence[Variant], rows: list[dict]) -> AblationResult:
    summary = summarise(rows)
    settings = asdict(plan) | {"variants": {variant.name: _described(variant) for variant in variants}}
    walks = any("falls_per_minute" in row for row in rows)
    definitions = WALK_DEFINITIONS if walks else DEFINITIONS
    content = {"plan": settings, "runs": rows, "summary": summary, "definitions": definitions}
    write_json(folder / "ablation.json", content)
    write_table(folder / "ablation.csv", rows)
    text = Console(file=io.StringIO(), width=200)
    text.print(render(summary))
    write_atomically(folder / "ablation.txt", text.file.getvalue())
    if find_spec("matplotlib") is not None:
        plot_summary(summary, folder / "ablation.png")
    return AblationResult(rows, summary, folder)


def _described(variant: Variant) -> list[str]:
    return [*([] if variant.task is None else [TASK + variant.task]), *variant.overrides]
