"""From nothing to an expert for all walks: data set, RefNN, policy, and 64 held-out gaits on three engines.

Example::

    python scripts/gait/demo.py --minutes 60 --output_dir logs/gait_demo

Runs the scripts that a user would: augment.py, train_forward_gaitnet.py, train.py on the gait task and
evaluate_expert.py, each with a log in the folder. Stopped, and called again, it goes on where it was; a data set or
RefNN that is there already is taken as it is.
"""

import argparse
import json
from pathlib import Path

from whole_body_tracking.cli import run_script

PRINTED = "-"


def main() -> int:
    """Parse, run, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0, help="Budget of the whole demo (%(default)s).")
    parser.add_argument("--num_data", type=int, default=1000, metavar="N", help="Gaits of the data set (%(default)s).")
    parser.add_argument("--num_gaits", type=int, default=64, metavar="N", help="Held-out gaits (%(default)s).")
    parser.add_argument("--output_dir", type=Path, default=Path("logs", "gait_demo"), help="Folder (%(default)s).")
    parser.add_argument("--seed", type=int, default=42, help="Of data and training (%(default)s).")
    parser.add_argument(
        "--json", nargs="?", const=PRINTED, metavar="FILE", help="Write the numbers there; without FILE print them."
    )
    args = parser.parse_args()

    from whole_body_tracking.files import write_json
    from whole_body_tracking.gait_expert.demo import make_plan, print_report, run_gait_demo
    from whole_body_tracking.refine.report import require_folder

    if args.json not in (None, PRINTED):
        require_folder(Path(args.json))
    content = run_gait_demo(make_plan(args.minutes, args.num_data, args.num_gaits), args.output_dir, args.seed)
    print_report(content)
    if args.json == PRINTED:
        print(json.dumps(content))
    elif args.json is not None:
        write_json(Path(args.json), content)
    return 0


if __name__ == "__main__":
    run_script(main)
