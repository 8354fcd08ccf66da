"""Convert motions to clips: Unitree CSV (or a nameless NPZ of another project) to NPZ, without a simulator.

Example::

    python scripts/csv_to_npz.py --input_file walk.csv --input_fps 30 --frame_range 122 722 --output_name walk

The clip is written beside its input, under the input's name, unless an output flag says otherwise. An existing clip is
replaced only when the new one is complete. Nothing is uploaded without --upload.
"""

import argparse
import sys
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--input_file", type=Path, required=True, metavar="FILE|FOLDER", help="CSV file, or a folder of *.csv."
    )
    parser.add_argument("--input_fps", type=float, help="Rate of the CSV [Hz], usually 30.")
    parser.add_argument(
        "--output_fps", type=float, default=50.0, help="Rate of the clip = control rate [Hz] (%(default)s)."
    )
    parser.add_argument(
        "--frame_range", type=int, nargs=2, metavar=("FIRST", "LAST"), help="Rows to keep, 1-based, both included."
    )
    parser.add_argument("--output_file", type=Path, metavar="FILE", help="Write the clip here.")
    parser.add_argument("--output_dir", type=Path, metavar="FOLDER", help="Write clips into this folder.")
    parser.add_argument(
        "--output_name", metavar="NAME", help="Call the clip NAME.npz (in --output_dir or beside the input)."
    )
    parser.add_argument(
        "--quat_order", choices=("xyzw", "wxyz"), default="xyzw", help="Order of columns 4-7 (%(default)s)."
    )
    parser.add_argument("--layout", help="Read an NPZ of another project instead of a CSV: beyondmimic or mjlab.")
    parser.add_argument("--ground", action="store_true", help="Shift the clip so that its lowest sole touches z = 0.")
    parser.add_argument("--mirror", action="store_true", help="Exchange left and right.")
    parser.add_argument("--robot", default="g1", help="Whose motion it is (%(default)s).")
    parser.add_argument("--upload", action="store_true", help="Also upload to the W&B registry (see upload_npz.py).")
    parser.add_argument("--entity", help="W&B organization or team, with --upload.")
    parser.add_argument(
        "--project", default="wandb-registry-motions", help="W&B registry, with --upload (%(default)s)."
    )
    parser.add_argument(
        "--headless", action="store_true", help="Accepted for old command lines: nothing is shown anyway."
    )
    return parser.parse_args(argv)


def main() -> int:
    """Convert, save, print the quality of each clip."""
    args = parse_args()
    from whole_body_tracking.motion import quality_report
    from whole_body_tracking.motion.conversion.batch import ConversionJob, run_conversion
    from whole_body_tracking.motion.sources.registry import upload_clip
    from whole_body_tracking.robots import get_robot

    get_robot(args.robot)
    job = ConversionJob(
        input_path=args.input_file,
        input_fps=args.input_fps,
        output_fps=args.output_fps,
        frame_range=tuple(args.frame_range) if args.frame_range else None,
        quat_order=args.quat_order,
        layout=args.layout,
        ground=args.ground,
        mirror=args.mirror,
        robot=args.robot,
        output_file=args.output_file,
        output_dir=args.output_dir,
        output_name=args.output_name,
    )
    num_clips, num_failed = 0, 0
    for result in run_conversion(job):
        if result.clip is None:
            print(f"error: {result.error}", file=sys.stderr)
            num_failed += 1
            continue
        num_clips += 1
        print(quality_report(result.clip, args.robot).render())
        print(f"  {'written':<15} {result.output_path}")
        if args.upload:
            reference = upload_clip(result.output_path, args.entity, args.project, result.output_path.stem)
            print(f"  {'uploaded':<15} {reference}")
    if num_clips + num_failed > 1:
        print(f"{num_clips} clips converted, {num_failed} files refused.")
    return 1 if num_failed else 0


if __name__ == "__main__":
    run_script(main)
