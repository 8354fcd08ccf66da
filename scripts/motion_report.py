"""Compare the clips of a library: nearest neighbours, clusters, tags, and an order from easy to hard.

Example::

    python scripts/motion_report.py --motion_file clips/ --output_dir report/

writes ``motions.csv`` and a manifest ``motions.yaml`` with tags and difficulties that ``clip_sampling=curriculum``
follows. With ``--measured RUN/clips.csv`` the difficulty of a clip is the share of its episodes that failed in a run.
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script


def main() -> int:
    """Compare, print and write."""
    parser = argparse.ArgumentParser(
        description="Compare the clips of a library and suggest an order to learn them in."
    )
    parser.add_argument("--motion_file", nargs="+", required=True, metavar="PATH", help="Clips, folders or manifests.")
    parser.add_argument("--output_dir", type=Path, metavar="FOLDER", help="Write motions.csv and motions.yaml here.")
    parser.add_argument("--cluster_distance", type=float, default=1.8, help="Mean distance in a cluster (%(default)s).")
    parser.add_argument("--measured", type=Path, metavar="FILE", help="clips.csv of a run, to take difficulties from.")
    parser.add_argument("--robot", default="g1", help="Whose motions they are (%(default)s).")
    args = parser.parse_args()

    from whole_body_tracking.motion.analysis.library_report import (
        COLUMNS,
        read_failure_rates,
        report_on,
        write_csv,
        write_manifest,
    )

    measured = None if args.measured is None else read_failure_rates(args.measured)
    entries, rows, found = report_on(args.motion_file, args.cluster_distance, args.robot)
    widths = {name: max(len(name), *(len(str(row[name])) for row in rows)) for name in COLUMNS}
    for row in [dict(zip(COLUMNS, COLUMNS, strict=True)), *rows]:
        print("  ".join(str(row[name]).ljust(widths[name]) for name in COLUMNS).rstrip())
    if args.output_dir:
        write_csv(args.output_dir / "motions.csv", rows)
        write_manifest(args.output_dir / "motions.yaml", entries, found, measured)
        print(f"Written: {args.output_dir / 'motions.csv'}, {args.output_dir / 'motions.yaml'}")
    return 0


if __name__ == "__main__":
    run_script(main)
