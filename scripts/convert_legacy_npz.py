"""Convert a clip of BeyondMimic, mjlab or holosoma: find out its layout by forward kinematics, write it as our clip.

Example::

    python scripts/convert_legacy_npz.py --input_file old.npz --output_file walk.npz

The rate is kept; body poses and all velocities are computed from the stored joints. A file whose bodies are more than
1 mm from where its joints put them is refused, and nothing is written.
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input_file", type=Path, required=True, metavar="FILE", help="NPZ of another project.")
    parser.add_argument("--output_file", type=Path, required=True, metavar="FILE", help="Write the clip here.")
    parser.add_argument("--robot", default="g1", help="Whose motion it is (%(default)s).")
    return parser.parse_args(argv)


def main() -> None:
    """Detect, check, save, print the layout."""
    args = parse_args()
    from whole_body_tracking.motion import convert
    from whole_body_tracking.motion.conversion.foreign import read_foreign
    from whole_body_tracking.motion.npz import read_arrays
    from whole_body_tracking.robots import get_robot

    if args.output_file.suffix != ".npz":
        raise ValueError(f"--output_file {args.output_file} should end in .npz.")
    if args.output_file.exists() and args.input_file.exists() and args.output_file.samefile(args.input_file):
        raise ValueError(f"{args.input_file} would overwrite itself. Give --output_file another name.")
    robot = get_robot(args.robot)
    foreign = read_foreign(read_arrays(args.input_file), args.input_file.name, robot)
    clip, fit, layout = convert(foreign.raw, foreign.raw.fps, robot), foreign.fit, foreign.fit.layout
    clip.save(args.output_file)
    print(f"layout   {layout.name}: {len(layout.body_names)} bodies, quaternions {' '.join(layout.quat_order)}")
    print(f"error    {1e3 * fit.position_error.max():.4f} mm at most between stored bodies and the joints")
    print(f"clip     {clip.num_frames} frames at {clip.fps:g} fps")
    print(f"written  {args.output_file}")


if __name__ == "__main__":
    run_script(main)
