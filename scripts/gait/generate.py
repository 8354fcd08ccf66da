"""Make a clip of a walk from gait parameters: no recorded motion, no trained network needed.

Example::

    python scripts/gait/generate.py --speed 0.6 --cadence 100 --seconds 20 --output_file walk.npz
    python scripts/gait/generate.py --speed 0.3 --turn_rate 0.3 --standing --seconds 12 --output_file turn.npz
    python scripts/gait/generate.py --schedule speeds.csv --cadence 110 --seconds 30 --output_file faster.npz

A schedule is a CSV with the column ``time`` [s] and one column per parameter that changes; between its rows parameters
change linearly, and smoothly at them. ``--model FILE`` takes a network of train_forward_gaitnet.py instead of the
planner. docs/gait.md has every parameter and its range.
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script
from whole_body_tracking.gait.planning.parameters import LONGEST_STRIDE, PARAMETERS


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    gait = parser.add_argument_group("gait parameters; of speed, cadence and stride length two are enough")
    for name, item in PARAMETERS.items():
        default = "" if item.default != item.default else f", default {item.default:g}"
        text = f"{item.meaning}; {item.low:g} to {item.high:g} {item.unit}{default}".replace("%", "%%")
        gait.add_argument(f"--{name}", type=float, metavar="X", help=text)
    gait.add_argument("--stride_length", type=float, metavar="X", help=f"two steps; up to {LONGEST_STRIDE:g} m")
    gait.add_argument("--schedule", type=Path, metavar="CSV", help="Parameters that change over time.")
    parser.add_argument("--seconds", type=float, default=20.0, help="Length of the clip (%(default)s).")
    parser.add_argument("--standing", action="store_true", help="Start and end at rest; else it walks all the time.")
    parser.add_argument("--output_fps", type=float, default=50.0, help="Frames per second (%(default)s).")
    parser.add_argument("--output_file", type=Path, metavar="FILE", help="Where the clip goes: .npz.")
    parser.add_argument("--model", type=Path, metavar="FILE", help="Predict with this network instead of planning.")
    parser.add_argument("--studio", action="store_true", help="Open a browser page with a slider per parameter.")
    parser.add_argument("--port", type=int, default=8080, help="First port that the page tries (%(default)s).")
    return parser.parse_args(argv)


def main() -> int:
    """Generate, measure, print wanted beside measured, write."""
    args = parse_args()
    given = {name: getattr(args, name) for name in (*PARAMETERS, "stride_length") if getattr(args, name) is not None}

    from whole_body_tracking.gait.generating import GaitRequest, comparison_lines, generate_clip, read_generator

    request = GaitRequest(given, args.schedule, args.seconds, args.output_fps, args.standing)
    generator = read_generator(args.model)
    if args.studio:
        from whole_body_tracking.gait.studio import open_studio

        open_studio(request, generator, args.output_file, args.port)
        return 0
    if args.output_file is None:
        raise ValueError("--output_file is missing: where the clip goes, ending in .npz.")
    if args.output_file.suffix != ".npz":
        raise ValueError(f"--output_file {args.output_file} should end in .npz.")
    clip = generate_clip(request, generator)
    clip.save(args.output_file)
    print("\n".join(comparison_lines(request, clip, by_network=args.model is not None)))
    print(f"Written: {args.output_file} ({clip.num_frames} frames at {clip.fps:g} fps)")
    return 0


if __name__ == "__main__":
    run_script(main)
