"""Make a data set of gaits for train_forward_gaitnet.py: parameters drawn at random, walks planned and checked.

Example::

    python scripts/gait/augment.py --num_gaits 2000 --output_dir gaits/
    python scripts/gait/augment.py --num_gaits 500 --range speed 0.2 0.8 --range turn_rate 0 0 --output_dir straight/

Every gait is 60 frames at 30 Hz. One that the legs cannot reach, or whose forces the ground cannot give, is refused and
counted. docs/gait.md says what the files hold.
"""

import argparse
import sys
from pathlib import Path

from whole_body_tracking.cli import run_script
from whole_body_tracking.gait.planning.parameters import PARAMETERS
from whole_body_tracking.names import require_known


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num_gaits", type=int, required=True, metavar="N", help="Gaits to keep.")
    parser.add_argument("--output_dir", type=Path, required=True, metavar="FOLDER", help="Where the data set goes.")
    parser.add_argument("--seed", type=int, default=0, help="Of the draws (%(default)s).")
    parser.add_argument(
        "--range",
        nargs=3,
        action="append",
        default=[],
        metavar=("NAME", "LOW", "HIGH"),
        help="Draw a parameter from here instead of its whole range; may be given several times.",
    )
    return parser.parse_args(argv)


def main() -> int:
    """Draw, plan, check, write."""
    args = parse_args()
    require_known([name for name, _, _ in args.range], PARAMETERS, "gait parameter in --range")
    ranges = {name: (float(low), float(high)) for name, low, high in args.range}

    from whole_body_tracking.gait.network.dataset import DataSetJob, make_data_set

    def report(made: int, refused) -> None:
        if made % 50 == 0 or made == args.num_gaits:
            print(f"{made} of {args.num_gaits} gaits, {sum(refused.values())} refused", file=sys.stderr, flush=True)

    refused = make_data_set(DataSetJob(args.output_dir, args.num_gaits, args.seed, ranges=ranges), report)
    print(f"Written: {args.output_dir} ({args.num_gaits} gaits)")
    for reason, count in refused.most_common():
        print(f"  refused, {reason}: {count}")
    return 0


if __name__ == "__main__":
    run_script(main)
