"""Command line of train, play and evaluate: Isaac Lab's own flags, plus the motions."""

from __future__ import annotations

import argparse
from importlib.metadata import entry_points

import gymnasium as gym
import torch
from isaaclab.app import add_launcher_args
from isaaclab_rl.entrypoints.backends.cli_args_rsl_rl import add_rsl_rl_args
from isaaclab_rl.entrypoints.common import enable_cameras_for_video, set_hydra_args
from isaaclab_tasks.utils import setup_preset_cli

from whole_body_tracking.names import require_known

from .overrides import joined_modes, split_overrides

TASK_FAMILIES = ("Tracking-", "Gait-", "Velocity-")
"""What the ids of this project's tasks begin with, and those of packages that add robots to it."""


def add_motion_args(parser: argparse.ArgumentParser) -> None:
    """Add the ways to name motions, and flags of Isaac Lab 2 that still work."""
    group = parser.add_argument_group("motions")
    group.add_argument(
        "--motion_file", nargs="+", default=None, metavar="PATH", help="NPZ clips: files, folders, globs or a manifest."
    )
    group.add_argument(
        "--registry_name",
        nargs="+",
        default=None,
        metavar="NAME",
        help="W&B registry names such as ORG/wandb-registry-motions/walk, optionally with :v3 or :latest.",
    )
    group.add_argument(
        "--gait_model",
        default=None,
        metavar="FILE",
        help="RefNN of a Gait task; default: that of --checkpoint.",
    )
    group.add_argument(
        "--modes",
        type=lambda text: text.split(","),
        default=None,
        metavar="MODE",
        help="Modes of a Modes task: stand, walk, turn, squat and NAME=FILE.npz, with spaces or commas between them.",
    )
    group.add_argument(
        "--wandb_path", default=None, metavar="ORG/PROJECT/RUN_ID", help="W&B run whose newest checkpoint to load."
    )
    parser.add_argument(
        "--headless", action="store_true", help="Accepted for old command lines: without --viz nothing is shown."
    )


def add_export_args(parser: argparse.ArgumentParser) -> None:
    """Add the flags of what train and play may leave out of an exported policy."""
    parser.add_argument(
        "--no_clips", action="store_true", help="Export a policy of several clips without their files beside it."
    )


def parse_args(parser: argparse.ArgumentParser, argv: list[str]) -> argparse.Namespace:
    """Finish a parser with the shared flags, parse, and leave Hydra's overrides in ``sys.argv``.

    Tokens of the form key=value are overrides even when they follow ``--motion_file``.

    Raises:
        ValueError: If the task is unknown or two flags contradict each other.
    """
    add_motion_args(parser)
    add_rsl_rl_args(parser)
    add_launcher_args(parser)
    agent = parser.get_default("agent") or "rsl_rl_cfg_entry_point"
    parser.set_defaults(device="cuda:0" if torch.cuda.is_available() else "cpu", agent=agent)
    others, overrides = split_overrides(joined_modes(argv))
    args, unknown = setup_preset_cli(parser, others)
    if unknown:
        raise ValueError(f"Unknown arguments: {' '.join(unknown)}. Run with --help to see those that exist.")
    require_known_task(args.task)
    _require_machine(args)
    if args.motion_file and args.registry_name:
        raise ValueError("Give motions either as --motion_file or as --registry_name, not both.")
    if args.wandb_path:
        args.checkpoint = f"wandb:{args.wandb_path}"
    enable_cameras_for_video(args)
    set_hydra_args(overrides)
    return args


def require_known_task(task: str | None) -> None:
    """Check a task id.

    Raises:
        ValueError: If the id is missing or not registered; the message lists the tasks of this project.
    """
    import whole_body_tracking.tasks  # noqa: F401

    if task is not None and task.split(":")[-1] not in gym.registry:
        for point in entry_points(group="isaaclab.tasks"):  # tasks of other packages, imported only when asked for
            point.load()
    known = sorted(name for name in gym.registry if name.startswith(TASK_FAMILIES))
    if task is None or task.split(":")[-1] not in gym.registry:
        require_known(str(task), known, "task")


def _require_machine(args: argparse.Namespace) -> None:
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"There is no CUDA device here for --device {args.device}. Pass --device cpu.")
    if getattr(args, "num_envs", None) is not None and args.num_envs < 1:
        raise ValueError(f"--num_envs is {args.num_envs}, expected at least 1.")
