"""Command line of ``benchmark.py``."""

from __future__ import annotations

import argparse
from pathlib import Path

from whole_body_tracking.rl.cli import parse_args

DEFAULT_SECONDS = 120.0
TRAINERS = ("ppo", "world_model")


def parse(argv: list[str]) -> argparse.Namespace:
    """Parse a command line, leaving Hydra's overrides (``physics=NAME``) in ``sys.argv``.

    Raises:
        ValueError: If a number or path makes no sense.
    """
    parser = argparse.ArgumentParser(description="Measure physics, environment and training, in environment steps/s.")
    parser.add_argument("--task", default="Tracking-Flat-G1-v0", help="Task to measure (%(default)s).")
    parser.add_argument(
        "--num_envs", dest="env_counts", type=int, nargs="+", default=None, metavar="N",
        help="Numbers of envs; the first one's rates are the result's own (256, or 4096 on CUDA).",
    )  # fmt: skip
    parser.add_argument(
        "--output", "--json", type=Path, default=None, metavar="FILE.json", help="Write the result here."
    )
    parser.add_argument("--compare", type=Path, default=None, metavar="EARLIER.json", help="Print ratios to this one.")
    parser.add_argument("--actuators", action="store_true", help="Only stable PD control and muscles of the G1.")
    parser.add_argument(
        "--muscle_nn", type=Path, default=None, metavar="FILE", help="Network for --actuators; default: train one."
    )
    parser.add_argument("--all", action="store_true", help="Also converter, library of --motion_file, ONNX.")
    parser.add_argument(
        "--peer_python", type=Path, default=None, metavar="PATH", help="Python of an environment that has mjlab."
    )
    parser.add_argument(
        "--seconds", type=float, default=DEFAULT_SECONDS, help="Time to measure, start-up not included (%(default)s)."
    )
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument(
        "--trainer", choices=TRAINERS, default="ppo", help="What trains; world_model measures its parts alone."
    )
    parser.set_defaults(frontend="torch", distributed=False)
    args = parse_args(parser, argv)
    args.env_counts = args.env_counts or [4096 if args.device.startswith("cuda") else 256]
    _check(args)
    return args


def _check(args: argparse.Namespace) -> None:
    if min(args.env_counts) < 1:
        raise ValueError(f"--num_envs takes positive numbers, got {args.env_counts}.")
    given = [name for name in ("compare", "all", "peer_python", "actuators") if getattr(args, name)]
    if args.trainer == "world_model" and (given or len(args.env_counts) > 1):
        what = ", ".join(f"--{name}" for name in given) or "several numbers of envs"
        raise ValueError(f"--trainer world_model measures an iteration of it and nothing else: leave out {what}.")
    if args.seconds <= 0.0:
        raise ValueError(f"--seconds must be positive, got {args.seconds:g}.")
    if args.muscle_nn is not None and not args.actuators:
        raise ValueError("--muscle_nn is measured with --actuators only. Add --actuators, or leave it out.")
    if args.actuators and args.compare is not None:
        raise ValueError(
            "--compare knows the results of the benchmark without --actuators only. Leave one of them out."
        )
    if args.peer_python is not None and not args.peer_python.is_file():
        raise FileNotFoundError(
            f"--peer_python {args.peer_python} is not a file. Give the path of a Python interpreter."
        )
    if args.output is not None and not args.output.absolute().parent.is_dir():
        raise FileNotFoundError(f"--output: the folder {args.output.absolute().parent} does not exist.")
