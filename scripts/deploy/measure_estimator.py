"""Measure the state estimator on clips: how far position and velocity of the root are off after each.

Example::

    python scripts/deploy/measure_estimator.py --policy squat.onnx --motion_file walk.npz squat.npz --seeds 3

Readings are computed from the clip, with torques by inverse dynamics and the noise of the training's sensor presets.
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", type=Path, required=True, metavar="FILE", help="Exported policy.onnx of the robot.")
    parser.add_argument("--motion_file", nargs="+", metavar="CLIP", help="Clips, files or folders; else the policy's.")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="Draws of the noise (%(default)s).")
    parser.add_argument("--no_noise", action="store_true", help="Perfect sensors.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the rows.")
    args = parser.parse_args(argv)
    if args.seeds < 1:
        raise ValueError(f"--seeds is {args.seeds}, expected at least 1.")
    return args


def main() -> None:
    """Measure and print a table."""
    args = parse_args()
    from rich.console import Console
    from rich.progress import track
    from rich.table import Table

    from whole_body_tracking.deploy.estimator_check import averaged, follow
    from whole_body_tracking.deploy.simulated_robot.sensors import SensorNoise
    from whole_body_tracking.export.loader import load_policy
    from whole_body_tracking.files import write_json
    from whole_body_tracking.motion import MotionClip
    from whole_body_tracking.motion.sources.motion_entries import resolve_items
    from whole_body_tracking.sim2sim.reference import references_of, robot_of

    policy = load_policy(args.policy, needs_clips=not args.motion_file)
    robot, noise = robot_of(policy.spec), None if args.no_noise else SensorNoise()
    if args.motion_file:
        clips = [MotionClip.load(path) for path in resolve_items(args.motion_file)]
    else:
        clips = [reference.clip for reference in references_of(policy, (), None)]
    rows = []
    for clip in track(clips, "clips", transient=True):
        seeds = range(1 if noise is None else args.seeds)
        rows.append(averaged([follow(clip, robot, policy.spec, noise, seed) for seed in seeds]))
    table = Table(
        "clip", "seconds", "distance [m]", "velocity RMSE [m/s]", "drift [cm]", "of the way", "height RMSE [m]"
    )
    for row in rows:
        table.add_row(
            row["clip"], f"{row['seconds']:.1f}", f"{row['distance']:.2f}", f"{row['velocity_rmse']:.3f}",
            f"{100.0 * row['drift']:.1f}", f"{row['drift_share']:.1%}", f"{row['height_rmse']:.3f}",
        )  # fmt: skip
    Console().print(table)
    if args.json:
        write_json(args.json, rows)


if __name__ == "__main__":
    run_script(main)
