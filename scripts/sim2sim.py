"""Play an exported policy in plain MuJoCo, an engine that training never saw, and report how well it tracks.

Example::

    python scripts/sim2sim.py --policy exported/policy.onnx --compare evaluation/report.json --video sim2sim.mp4

Needs no Isaac Lab: the observations are computed as the file's metadata describe them.
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", type=Path, required=True, metavar="FILE", help="Exported policy.onnx.")
    parser.add_argument("--motion", nargs="+", default=(), metavar="NAME", help="Clips of the policy; default: all.")
    parser.add_argument("--motion_file", type=Path, metavar="FILE", help="Clip to track instead of the policy's own.")
    parser.add_argument(
        "--num_rollouts", type=int, default=16, metavar="N", help="Rollouts, shared by the clips (%(default)s)."
    )
    parser.add_argument("--seed", type=int, default=42, help="Of the small noise on start states (%(default)s).")
    parser.add_argument("--exact_start", action="store_true", help="Start in the reference state, without that noise.")
    parser.add_argument(
        "--control_delay", type=float, default=0.0, metavar="STEPS", help="Targets come so many control steps late."
    )
    parser.add_argument(
        "--drift", type=float, default=0.0, metavar="M/S", help="The observed position leaves the true one so fast."
    )
    parser.add_argument("--compare", type=Path, metavar="FILE", help="report.json of evaluate.py: print the gap.")
    parser.add_argument("--output_dir", type=Path, metavar="DIR", help="Default: sim2sim/ beside the policy.")
    parser.add_argument("--video", type=Path, metavar="FILE", help="Write the median rollout as MP4.")
    parser.add_argument("--viewer", action="store_true", help="Show the median rollout in MuJoCo's viewer.")
    return parser.parse_args(argv)


def main() -> None:
    """Check encoder and display, play, print the table."""
    args = parse_args()
    from whole_body_tracking.sim2sim.display import require_display
    from whole_body_tracking.viewer.video import check_video, write_video

    if args.video:
        check_video(args.video)
    if args.viewer:
        require_display()
    from whole_body_tracking.evaluation.report.played import rollout_tracks
    from whole_body_tracking.sim2sim.gap import table
    from whole_body_tracking.sim2sim.run import run_sim2sim

    result = run_sim2sim(
        args.policy,
        args.motion_file,
        args.num_rollouts,
        args.seed,
        not args.exact_start,
        args.compare,
        args.output_dir,
        args.motion,
        args.control_delay,
        args.drift,
    )
    print(table(result.overall, result.baseline))
    print(f"[INFO] Report: {result.folder}")
    if result.played is None:
        print("[WARN] The median rollout diverged at once: there is nothing to show.")
        return
    if args.video:
        tracks = rollout_tracks(result.played, result.reference, result.robot.name)
        print(f"[INFO] Video: {write_video(args.video, tracks, result.played.fps)}")
    if args.viewer:
        from whole_body_tracking.sim2sim.show import show_in_viewer

        show_in_viewer(result.robot, result.played, result.reference)


if __name__ == "__main__":
    run_script(main)
