"""Make a data set of gaits for train_forward_gaitnet.py: parameters drawn at random, walks planned and checked.

Example::

    python scripts/gait/augment.py --num_gaits 2000 --output_dir gaits/
    python scripts/gait/augment.py --num_gaits 500 --range speed 0.2 0.8 --range turn_rate 0 0 --output_dir straight/
    python scripts/gait/augment.py --num_gaits 500 --motion_file clips/ --output_dir recorded/

Every gait is 60 frames at 30 Hz. One that the legs cannot reach, or whose forces the ground cannot give, is refused and
counted. Stopped, and called again with the same settings, it goes on where it was. ``--motion_file`` takes the cycles
of recorded walks instead, at 0.9 to 1.1 times their speed; what is made from recordings inherits their licence.
docs/gait.md says what the files hold.
"""

import argparse
import sys
from pathlib import Path

from whole_body_tracking.cli import require_not_given, run_script
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
    parser.add_argument("--num_workers", type=int, default=1, metavar="N", help="Processes that plan (%(default)s).")
    parser.add_argument("--motion_file", nargs="+", metavar="PATH", help="Take cycles from these clips instead.")
    return parser.parse_args(argv)


def main() -> int:
    """Draw, plan, check, write."""
    args = parse_args()
    require_known([name for name, _, _ in args.range], PARAMETERS, "gait parameter in --range")
    ranges = {name: _bounds(name, *values) for name, *values in args.range}

    from whole_body_tracking.gait.network.making import DataSetJob, make_data_set

    def report(made: int, refused) -> None:
        if made % 20 == 0 or made == args.num_gaits:
            print(f"{made} of {args.num_gaits} gaits, {sum(refused.values())} refused", file=sys.stderr, flush=True)

    job = DataSetJob(args.output_dir, args.num_gaits, args.seed, ranges=ranges, num_workers=args.num_workers)
    refused = make_data_set(job, report, _recorded(args) if args.motion_file else None)
    print(f"Written: {args.output_dir}")
    for reason, count in refused.most_common():
        print(f"  refused, {reason}: {count}")
    return 0


def _bounds(name: str, low: str, high: str) -> tuple[float, float]:
    try:
        return float(low), float(high)
    except ValueError:
        raise ValueError(f"--range {name} {low} {high}: expected two numbers.") from None


def _recorded(args: argparse.Namespace):
    """Where gaits of recorded clips come from."""
    if args.range:
        raise ValueError("--range says where parameters are drawn, and cycles of --motion_file have their own.")
    require_not_given(("seed", "num_workers"), sys.argv[1:], "Cycles of --motion_file are neither drawn nor planned.")

    from whole_body_tracking.gait.network.warping import warped_samples
    from whole_body_tracking.motion.sources.motion_entries import resolve_entries
    from whole_body_tracking.robots import G1

    entries = resolve_entries(args.motion_file)
    return lambda refused: (sample for entry in entries for sample in warped_samples(entry.load(), G1, refused))


if __name__ == "__main__":
    run_script(main)
