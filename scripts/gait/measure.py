"""Measure how a robot walks: contacts, steps and gait parameters of recorded, generated or played clips.

Example::

    python scripts/gait/measure.py --motion_file walk.npz --json gait.json
    python scripts/gait/measure.py --motion_file clips/ --output_dir gait/ --plot

writes ``clips.csv`` (one row per clip), ``cycles.csv`` (one row per gait cycle) and, with ``--plot``, one picture per
clip. docs/gait.md says what the numbers mean.
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--motion_file", nargs="+", required=True, metavar="PATH", help="Clips, folders or manifests.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the numbers of every clip as JSON.")
    parser.add_argument("--output_dir", type=Path, metavar="FOLDER", help="Write clips.csv and cycles.csv here.")
    parser.add_argument("--plot", action="store_true", help="Also write NAME_gait.png there.")
    parser.add_argument("--robot", default="g1", help="Whose clips they are (%(default)s).")
    return parser.parse_args(argv)


def main() -> int:
    """Measure clip after clip, print tables, write."""
    args = parse_args()
    if args.plot and not args.output_dir:
        raise ValueError("--plot writes into --output_dir; give one.")

    from whole_body_tracking.gait.analysis.measuring import measure_gait
    from whole_body_tracking.gait.analysis.report import (
        table_lines,
        write_clip_table,
        write_cycle_table,
        write_gait_json,
        write_gait_plot,
    )
    from whole_body_tracking.motion.sources.motion_entries import resolve_entries
    from whole_body_tracking.refine.report import require_folder
    from whole_body_tracking.robots import get_robot

    if args.json:
        require_folder(args.json)
    if args.output_dir:
        args.output_dir.mkdir(parents=True, exist_ok=True)
    robot, reports = get_robot(args.robot), []
    for entry in resolve_entries(args.motion_file):
        reports.append(measure_gait(entry.load(), robot))
        print("\n".join(table_lines(reports[-1])), flush=True)
        if args.plot:
            write_gait_plot(args.output_dir / f"{entry.name}_gait.png", reports[-1])
    if args.json:
        write_gait_json(args.json, reports)
    if args.output_dir:
        write_clip_table(args.output_dir / "clips.csv", reports)
        write_cycle_table(args.output_dir / "cycles.csv", reports)
        print(f"Written: {args.output_dir / 'clips.csv'}, {args.output_dir / 'cycles.csv'}")
    return 0


if __name__ == "__main__":
    run_script(main)
