"""Train MuscleNN, the network that finds muscle activations for desired torques, on sampled states.

Examples::

    python scripts/muscle/train_muscle.py --output_dir muscles/
    python scripts/rsl_rl/train.py --task Tracking-Flat-G1-v0 presets=muscles \
        env.scene.robot.actuators.muscles.muscle_nn=muscles/muscle_nn.safetensors

Needs no simulator. Writes muscle_nn.safetensors, muscle_nn_last.safetensors (for --resume), progress.csv, summary.json
and TensorBoard's curves. docs/actuation.md says what is learnt, and how well.
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--output_dir", type=Path, required=True, metavar="DIR", help="Where the network goes.")
    add("--robot", default="g1", help="Whose muscles (%(default)s).")
    add("--iterations", type=int, default=4000, help="(%(default)s)")
    add("--batch_size", type=int, default=128, help="States of an iteration (%(default)s).")
    add("--learning_rate", type=float, default=1e-3, help="At first (%(default)s).")
    add("--hidden", type=int, nargs="+", help="Widths of the hidden layers; default: 1024 512 512.")
    add("--save_every", type=int, default=100, help="Iterations per checkpoint (%(default)s).")
    add("--seed", type=int, default=0, help="(%(default)s)")
    add("--max_minutes", type=float, metavar="N", help="Finish when they are used up.")
    add("--resume", action="store_true", help="Go on from the output folder's last checkpoint.")
    add("--json", type=Path, metavar="FILE", help="Also write the summary here.")
    return parser.parse_args(argv)


def main() -> int:
    """Train, print a row per checkpoint, compare with least squares, say where the network is."""
    args = parse_args()
    from whole_body_tracking.actuation.least_squares import compare_with_least_squares
    from whole_body_tracking.actuation.muscle_nn import load_muscle_nn
    from whole_body_tracking.actuation.muscle_training import MODEL_FILE, train_muscle_nn
    from whole_body_tracking.files import write_json
    from whole_body_tracking.priors.progress import EpochProgress

    job = make_job(args)
    print(
        f"{'iteration':>9} {'loss':>9} {'torque error':>12} {'99 %':>8} {'activation':>10} {'seconds':>8}", flush=True
    )
    with EpochProgress(job.iterations) as progress:

        def report(row: dict) -> None:
            progress.advance_to(row["iteration"])
            print(
                f"{row['iteration']:9d} {row['loss']:9.5f} {row['torque_error']:12.2%} {row['torque_error_p99']:8.2%}"
                f" {row['activation']:10.3f} {row['seconds']:8.0f}",
                flush=True,
            )

        summary = train_muscle_nn(job, report)
    model = load_muscle_nn(job.output_dir / MODEL_FILE, job.robot)[0]
    summary |= compare_with_least_squares(model, job.robot)
    print(
        f"least squares: error {summary['least_squares_error']:.2%}, {summary['least_squares_ms']:.2f} ms a state\n"
        f"the network:   error {summary['torque_error']:.2%}, {summary['network_ms']:.4f} ms a state in a batch,"
        f" {summary['speedup']:.0f} times faster ({summary['single_state_speedup']:.0f} one state at a time)"
    )
    if args.json is not None:
        write_json(args.json, summary)
    print(f"Written: {job.output_dir / MODEL_FILE}")
    return 0


def make_job(args: argparse.Namespace):
    """The job of a command line; checks what can be checked before the work."""
    from whole_body_tracking.actuation.muscle_nn import HIDDEN
    from whole_body_tracking.actuation.muscle_training import MuscleTrainingJob
    from whole_body_tracking.robots import get_robot

    if args.json is not None and not args.json.absolute().parent.is_dir():
        raise FileNotFoundError(f"--json: the folder {args.json.absolute().parent} does not exist.")
    return MuscleTrainingJob(
        output_dir=args.output_dir,
        robot=get_robot(args.robot),
        iterations=args.iterations,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        hidden=HIDDEN if args.hidden is None else tuple(args.hidden),
        save_every=args.save_every,
        seed=args.seed,
        resume=args.resume,
        max_minutes=args.max_minutes,
    )


if __name__ == "__main__":
    run_script(main)
