"""Measure a RefNN on the gaits of its data set that it was not trained on.

Example::

    python scripts/gait/evaluate_forward_gaitnet.py --model refnn/refnn.npz --data_dir gaits/ --json refnn/held_out.json

Prints errors of the outputs, slip and errors of walks predicted from held-out parameters, and frames per second of the
network alone. docs/gait.md says what the numbers are.
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--model", type=Path, required=True, metavar="FILE", help="Network of train_forward_gaitnet.py."
    )
    parser.add_argument("--data_dir", type=Path, required=True, metavar="FOLDER", help="Data set of augment.py.")
    parser.add_argument("--num_gaits", type=int, default=24, metavar="N", help="Walks to predict (%(default)s).")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the numbers.")
    return parser.parse_args(argv)


def main() -> int:
    """Measure, print, write."""
    args = parse_args()
    if args.num_gaits < 1:
        raise ValueError(f"--num_gaits is {args.num_gaits}, expected at least 1.")

    from whole_body_tracking.files import write_json
    from whole_body_tracking.gait.network.measuring import measure_refnn
    from whole_body_tracking.robots import G1

    result = measure_refnn(args.model, args.data_dir, G1, args.num_gaits)
    for name, value in result.items():
        print(f"{name:<28}{'-' if value is None else format(value, '.5g'):>12}")
    if args.json is not None:
        write_json(args.json, result)
    return 0


if __name__ == "__main__":
    run_script(main)
