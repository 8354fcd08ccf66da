"""Find joint targets that make the robot follow a clip, and measure how well they do.

Example::

    python scripts/refine_actions.py --motion_file walk.npz --method all --output_file walk_refined.npz
    python scripts/refine_actions.py --motion_file walk.npz --verify --actions walk_refined.npz

A position target is not an action: the drives are soft, and a robot that is sent a walk's own joint positions falls
within a second. The written clip has the channels `joint_target`, `root_residual` and `contact_forces` beside its own
arrays. docs/refinement.md says which method helps when.
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--motion_file", nargs="+", required=True, metavar="PATH", help="Clips, folders or manifests.")
    parser.add_argument(
        "--method",
        nargs="+",
        metavar="NAME",
        help="inverse_dynamics (invdyn), feedback, gradient, sampling (mpc) or all; default: gradient.",
    )
    parser.add_argument("--output_file", type=Path, metavar="FILE", help="OUT.npz, or OUT.npy for the targets alone.")
    parser.add_argument("--output_dir", type=Path, metavar="FOLDER", help="Where several clips go.")
    parser.add_argument("--replace_reference", action="store_true", help="Store the trajectory that the physics took.")
    parser.add_argument("--plot", action="store_true", help="Also write NAME_errors.png beside the output.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the numbers as JSON.")
    parser.add_argument("--robot", default="g1", help="Whose clips they are (%(default)s).")
    settings = parser.add_argument_group("settings of the methods")
    settings.add_argument("--alpha", type=float, help="feedback: step size; default: the largest safe one.")
    settings.add_argument(
        "--iterations", type=int, help="feedback (10), gradient (1 a plan), sampling (3 rounds a plan)."
    )
    settings.add_argument("--learning_rate", type=float, help="gradient: factor on the steps tried (1).")
    settings.add_argument("--samples", type=int, help="sampling: trajectories a round (64).")
    settings.add_argument("--horizon", type=int, help="gradient (16), sampling (24): steps ahead.")
    settings.add_argument("--seed", type=int, default=42, help="sampling: of the noise (%(default)s).")
    verify = parser.add_argument_group("measuring only")
    verify.add_argument("--verify", action="store_true", help="Measure joint targets against the clip, refine nothing.")
    verify.add_argument("--actions", type=Path, metavar="FILE", help="Refined .npz or .npy; default: the clip's own.")
    verify.add_argument("--test", choices=("single", "trajectory"), default="trajectory", help="(%(default)s)")
    verify.add_argument("--num_steps", type=int, default=50, help="Steps of a trajectory (%(default)s).")
    return parser.parse_args(argv)


def main() -> int:
    """Verify, or refine clip after clip, print tables, write."""
    args = parse_args()
    return _verify(args) if args.verify else _refine(args)


def _verify(args: argparse.Namespace) -> int:
    from whole_body_tracking.motion.sources.motion_entries import resolve_entries
    from whole_body_tracking.refine.report import require_folder
    from whole_body_tracking.refine.verify import verify_action_extraction
    from whole_body_tracking.robots import get_robot

    entries = resolve_entries(args.motion_file)
    if len(entries) != 1:
        raise ValueError(f"--verify measures one clip, and {len(entries)} are given.")
    if args.json:
        require_folder(args.json)
    found = verify_action_extraction(entries[0].load(), get_robot(args.robot), args.actions, args.test, args.num_steps)
    print("\n".join(found.lines()))
    if args.json:
        found.write_json(args.json)
    return 0


def _refine(args: argparse.Namespace) -> int:
    from rich.console import Console

    from whole_body_tracking.refine.progress import MethodProgress
    from whole_body_tracking.refine.report import (
        print_clip,
        print_library,
        require_folder,
        write_error_plot,
        write_refinement_json,
    )

    job, console, results = _job(args), Console(width=max(100, Console().width)), []
    if args.json:
        require_folder(args.json)
    with MethodProgress(len(job.entries)) as progress:
        for result in progress.follow(job):
            print_clip(result, console)
            if args.plot and result.output_path:
                write_error_plot(result.output_path.with_name(f"{result.output_path.stem}_errors.png"), result)
            results.append(result.summary())
    if len(results) > 1:
        print_library(results, console)
    if args.json:
        write_refinement_json(args.json, results)
    return 0


def _job(args: argparse.Namespace):
    from whole_body_tracking.motion.sources.motion_entries import resolve_entries
    from whole_body_tracking.refine.job import RefinementJob
    from whole_body_tracking.refine.methods import DEFAULT_METHOD, RefineSettings, method_names
    from whole_body_tracking.robots import get_robot

    return RefinementJob(
        entries=resolve_entries(args.motion_file),
        methods=method_names(args.method or [DEFAULT_METHOD]),
        settings=RefineSettings(args.alpha, args.iterations, args.learning_rate, args.samples, args.horizon, args.seed),
        robot=get_robot(args.robot),
        output_file=args.output_file,
        output_dir=args.output_dir,
        replace_reference=args.replace_reference,
    )


if __name__ == "__main__":
    run_script(main)
