"""Train RefNN, the network that predicts a gait from its parameters and phase, on a data set of augment.py.

Example::

    python scripts/gait/train_forward_gaitnet.py --data_dir gaits/ --output_dir refnn/
    python scripts/gait/generate.py --model refnn/refnn.npz --speed 0.6 --cadence 100 --output_file walk.npz

``--preset gaitnet`` takes the published settings of Forward GaitNet. docs/gait.md compares both. ``--base FILE`` trains
a network that adds to an earlier one, for a new range or style; the file that is written holds both and loads as one.
``--start FILE`` goes on from the weights of an earlier one, for instance with ``--slip_weight``.
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, required=True, metavar="FOLDER", help="Data set of augment.py.")
    parser.add_argument("--output_dir", type=Path, required=True, metavar="FOLDER", help="Where the network goes.")
    parser.add_argument("--preset", choices=("ours", "gaitnet"), default="ours", help="Settings (%(default)s).")
    parser.add_argument("--base", type=Path, metavar="FILE", help="Add to the output of this network.")
    parser.add_argument("--start", type=Path, metavar="FILE", help="Go on from the weights of this network.")
    parser.add_argument("--harmonics", type=int, default=1, help="1 or 2: inputs of the phase (%(default)s).")
    parser.add_argument("--root_weight", type=float, default=2.0, help="Of the root in the loss (%(default)s).")
    parser.add_argument("--arm_weight", type=float, default=0.5, help="Of the arms in the loss (%(default)s).")
    parser.add_argument(
        "--slip_weight",
        type=float,
        default=0.0,
        help="Of standing toes' mean squared velocity in the loss, in s^2/m^2 (%(default)s).",
    )
    parser.add_argument("--save_every", type=int, default=2000, help="Iterations per checkpoint (%(default)s).")
    parser.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    changes = parser.add_argument_group("settings of the preset to change")
    changes.add_argument("--learning_rate", type=float)
    changes.add_argument("--epochs", type=int)
    changes.add_argument("--batch_size", type=int)
    return parser.parse_args(argv)


def main() -> int:
    """Train, print a line per epoch."""
    args = parse_args()

    from whole_body_tracking.gait.network.training import PRESETS, TrainingJob, train_refnn

    job = TrainingJob(
        data_dir=args.data_dir,
        output_dir=args.output_dir,
        preset=PRESETS[args.preset],
        preset_name=args.preset,
        harmonics=args.harmonics,
        root_weight=args.root_weight,
        arm_weight=args.arm_weight,
        slip_weight=args.slip_weight,
        save_every=args.save_every,
        seed=args.seed,
        base=args.base,
        start=args.start,
    ).with_preset(learning_rate=args.learning_rate, epochs=args.epochs, batch_size=args.batch_size)

    def report(row: dict) -> None:
        print(
            f"epoch {row['epoch'] + 1} of {job.preset.epochs}, {row['iteration']} iterations, {row['seconds']:.0f} s:"
            f" loss {row['loss']:.5f}, held-out joints {row['joint_rmse']:.4f} rad,"
            f" velocity {row['velocity_rmse']:.4f} m/s",
            flush=True,
        )

    summary = train_refnn(job, report)
    print(f"Written: {args.output_dir / 'refnn.npz'} (held-out joints {summary['joint_rmse']:.4f} rad)")
    return 0


if __name__ == "__main__":
    run_script(main)
