"""Human mocap in, robot motion out: BVH or ASF/AMC files to clips, without a simulator.

Examples::

    python scripts/retarget.py --input_file walk.bvh --output_file walk.npz --show walk.html
    python scripts/retarget.py --input_file 11_01.amc --skeleton 11.asf --output_file kick.npz --json kick.json
    python scripts/retarget.py --input_file mocap/ --output_dir clips/ --smooth_hz 6
    python scripts/retarget.py --input_file 11_01.amc --skeleton 11.asf --output_file 11_01.bvh

Unit, up axis and skeleton are told from the file and printed; flags override them. Clips are written beside their
input unless an output flag says otherwise. docs/mocap.md explains the tables, the solver and the report.
"""

import argparse
import sys
import time
from pathlib import Path

from whole_body_tracking.cli import joined_values, run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--input_file", type=Path, required=True, metavar="FILE|FOLDER", help="BVH or AMC file, or a folder of them.")
    add("--skeleton", type=Path, metavar="FILE", help="ASF of an AMC; default: the one beside it.")
    add("--output_file", type=Path, metavar="FILE", help="Clip (.npz) to write; .bvh converts the mocap only.")
    add("--output_dir", type=Path, metavar="FOLDER", help="Write clips into this folder.")
    add("--output_fps", type=float, default=50.0, help="Rate of the clip = control rate [Hz] (%(default)s).")
    add("--input_fps", type=float, help="Rate of the mocap [Hz], instead of the file's; AMC files: 120.")
    add("--unit", help="Unit of the file: m, cm, mm, in, cmu, or metres of a length of 1; default: told from the legs.")
    add("--up", help="Up axis of the file: x, y, z, -x, -y or -z; default: told from the body.")
    add(
        "--table", metavar="NAME|FILE", help="Correspondence table: lafan1, cmu, generic or a YAML file; default: fits."
    )
    add("--robot", default="g1", help="Robot to move (%(default)s).")
    add("--robot_table", type=Path, metavar="FILE", help="YAML that says which body of the robot is which part.")
    add("--smooth_hz", type=float, metavar="HZ", help="Low-pass the mocap (Butterworth, zero phase); 6 suits walking.")
    add("--solver", default="lm", help="lm: all frames at once; mink: per frame, for comparison (%(default)s).")
    add("--json", type=Path, metavar="FILE", help="Write the report as JSON.")
    add("--show", nargs="?", const="", metavar="FILE", help="Show skeleton and robot in the browser; FILE: as a page.")
    add("--port", type=int, default=8080, help="Port of the browser view (%(default)s).")
    return parser.parse_args(joined_values(sys.argv[1:] if argv is None else argv, "--up"))


def main() -> int:
    """Retarget, save, print a table."""
    args = parse_args()
    from rich.console import Console

    from whole_body_tracking.files import write_atomically
    from whole_body_tracking.mocap.job import run_retargeting
    from whole_body_tracking.mocap.report import report_json, report_table

    job = make_job(args)
    results, reports = [], []
    inputs, started = job.inputs, time.monotonic()
    for number, item in enumerate(run_retargeting(job), start=1):
        left = (time.monotonic() - started) / number * (len(inputs) - number)
        place = f"[{number}/{len(inputs)}, {left:.0f} s left] " if job.is_folder else ""
        if item.error is not None:
            print(f"error: {place}{item.error}", file=sys.stderr)
            continue
        print(f"{place}{item.input_path.name}: {item.file.describe()}", flush=True)
        for line in item.notes():
            print(f"  {line}")
        print(f"  written {item.output_path}", flush=True)
        results.append(item)
        reports += [item.result.report] if item.result else []
    if reports:
        Console(width=None if sys.stdout.isatty() else 130).print(report_table(reports))
        if args.json:
            args.json.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(args.json, report_json(reports, job.is_folder))
    show(args, [item for item in results if item.result], job)
    return 1 if len(results) < len(inputs) else 0


def make_job(args: argparse.Namespace):
    """The job of a command line; checks what can be checked before the work."""
    from whole_body_tracking.mocap.figure import robot_figure
    from whole_body_tracking.mocap.job import RetargetJob
    from whole_body_tracking.mocap.retarget import RetargetSettings
    from whole_body_tracking.robots import get_robot

    if args.show:
        from whole_body_tracking.viewer.files import check_target

        check_target(args.show)
    return RetargetJob(
        input_path=args.input_file,
        figure=robot_figure(get_robot(args.robot), args.robot_table),
        settings=RetargetSettings(args.output_fps, args.smooth_hz, args.solver),
        skeleton=args.skeleton,
        output_file=args.output_file,
        output_dir=args.output_dir,
        unit=args.unit,
        up=args.up,
        input_fps=args.input_fps,
        table=args.table,
    )


def show(args: argparse.Namespace, items: list, job) -> None:
    """Write the page, or play in the browser until Ctrl+C; of a folder the first clip."""
    if args.show is None or not items:
        return
    from whole_body_tracking.mocap.page import retarget_tracks, write_retarget_page

    result, robot = items[0].result, job.figure.robot
    if args.show:
        print(f"page {write_retarget_page(args.show, result, robot)}")
        return
    from whole_body_tracking.viewer.browser import show_in_browser

    print("Playing in a loop. Stop with Ctrl+C.")
    show_in_browser(retarget_tracks(result, robot), result.clip.fps, result.clip.name, args.port)


if __name__ == "__main__":
    run_script(main)
