"""The main job on the embedded default: convert a clip, train a policy that tracks it, export, play, report.

Example::

    python scripts/demo.py --minutes 4
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script

REPOSITORY = Path(__file__).parents[1]


def main() -> int:
    """Parse and run."""
    parser = argparse.ArgumentParser(description="From a motion CSV to a policy that tracks it, on this machine.")
    parser.add_argument("--minutes", type=float, default=4.0, help="Budget of the whole demo (%(default)s).")
    squat = REPOSITORY / "motions" / "squat.csv"
    parser.add_argument("--motion_csv", type=Path, default=squat, help="Motion at 30 fps.")
    parser.add_argument(
        "--frame_range", type=int, nargs=2, metavar=("FIRST", "LAST"), help="Rows to keep, 1-based, both included."
    )
    parser.add_argument("--output_dir", type=Path, default=Path("logs", "demo"), help="Where everything is written.")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument(
        "--trainer", default="auto", help="auto, world_model or ppo; auto is the world model on a CPU (%(default)s)."
    )
    args = parser.parse_args()
    from whole_body_tracking.demo import run_demo

    frame_range = tuple(args.frame_range) if args.frame_range else None
    run_demo(args.motion_csv.absolute(), args.output_dir.absolute(), args.minutes, args.seed, frame_range, args.trainer)
    return 0


if __name__ == "__main__":
    run_script(main)
