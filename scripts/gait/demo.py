"""From nothing to an expert for all walks: data set, RefNN, policy, and 64 held-out gaits on three engines.

Example::

    python scripts/gait/demo.py --minutes 60 --output_dir logs/gait_demo

Runs the scripts that a user would: augment.py, train_forward_gaitnet.py, train.py on the gait task and
evaluate_expert.py, each with a log in the folder. A data set or RefNN that is there already is taken as it is.
"""

import argparse
import json
from pathlib import Path

from whole_body_tracking.cli import run_script


def main() -> int:
    """Parse, run, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0, help="Budget of the whole demo (%(default)s).")
    parser.add_argument("--num_data", type=int, default=1000, metavar="N", help="Gaits of the data set (%(default)s).")
    parser.add_argument("--num_gaits", type=int, default=64, metavar="N", help="Held-out gaits (%(default)s).")
    parser.add_argument("--output_dir", type=Path, default=Path("logs", "gait_demo"), help="Folder (%(default)s).")
    parser.add_argument("--seed", type=int, default=42, help="Of data and training (%(default)s).")
    parser.add_argument("--json", action="store_true", help="Print the numbers as JSON at the end, too.")
    args = parser.parse_args()

    from whole_body_tracking.gait_expert.demo import make_plan, print_report, run_gait_demo

    content = run_gait_demo(make_plan(args.minutes, args.num_data, args.num_gaits), args.output_dir, args.seed)
    print_report(content)
    if args.json:
        print(json.dumps(content))
    return 0


if __name__ == "__main__":
    run_script(main)
