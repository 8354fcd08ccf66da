"""Run controller and simulated robot as two processes many times, in real time, and say how often the clip is tracked.

Example, on a machine that does nothing else::

    python scripts/deploy/repeat_runs.py --policy exported/policy.onnx --num_runs 20 --output_dir runs/squat

Every run is scored against what really happened; sim2sim.py --policy says what to expect.
"""

import argparse
import json
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", type=Path, required=True, metavar="FILE", help="Exported policy.onnx.")
    parser.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="Where everything is written.")
    parser.add_argument(
        "--num_runs", type=int, default=20, metavar="N", help="Runs, one after the other (%(default)s)."
    )
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="Longest duration (%(default)s).")
    parser.add_argument("--domain", type=int, default=77, help="DDS domain that nothing else uses (%(default)s).")
    parser.add_argument("--robot", default="", metavar="ARGS", help="For robot_sim.py: --robot='--motor_delay 0.01'.")
    parser.add_argument("--controller", default="", metavar="ARGS", help="For run_policy.py, in the same way.")
    return parser.parse_args(argv)


def main() -> int:
    """Run, print the summary; status 0 if every run finished."""
    args = parse_args()
    from whole_body_tracking.deploy.protocol.dds import require_cyclonedds

    require_cyclonedds()
    from whole_body_tracking.deploy.repeated_runs import RepeatedRuns, run_repeatedly, summary

    runs = RepeatedRuns(
        args.policy, Path(__file__).parents[1], args.output_dir, args.num_runs, args.seconds, args.domain,
        args.robot.split(), args.controller.split(),
    )  # fmt: skip
    result = summary(run_repeatedly(runs))
    print(json.dumps(result, indent=2))
    return 0 if result["finished"] == result["runs"] else 1


if __name__ == "__main__":
    run_script(main)
