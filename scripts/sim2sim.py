"""Play an exported policy in plain MuJoCo, an engine that training never saw, and report how well it tracks.

Example::

    python scripts/sim2sim.py --policy exported/policy.onnx --compare evaluation/report.json --video sim2sim.mp4
    python scripts/sim2sim.py --policy exported/policy.onnx --gait speed=0.6,turn=0.2 --steer
    python scripts/sim2sim.py --policy exported/policy.onnx --command vx=0.5,heading=0
    python scripts/sim2sim.py --policy exported/policy.onnx --command mode=squat

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
    gait = parser.add_argument_group("a policy of the gait task")
    gait.add_argument("--gait", metavar="NAME=VALUE,...", help="How to walk, such as speed=0.6,turn=0.2.")
    gait.add_argument("--gait_seconds", type=float, default=10.0, help="Length of the walk (%(default)s).")
    gait.add_argument("--steer", action="store_true", help="Steer it from a browser page, with keys.")
    walk = parser.add_argument_group("a policy that walks by command; --steer opens a page for it, too")
    walk.add_argument(
        "--command",
        metavar="vx=X,vy=Y,heading=H",
        help="Walk so [m/s, rad]; what is left out is 0. A policy with modes takes mode=NAME, too.",
    )
    walk.add_argument("--seconds", type=float, default=10.0, metavar="S", help="Length of a walk (%(default)s).")
    walk.add_argument("--pose_clips", nargs="+", default=(), metavar="FILE", help="Clips to compare poses with.")
    gait.add_argument("--port", type=int, default=8080, help="First port that the page tries (%(default)s).")
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
    if args.command is not None:
        walk_by_command(args)
        return
    if args.steer:
        from whole_body_tracking.sim2sim.gait_steering import open_steering
        from whole_body_tracking.sim2sim.gait_walker import parse_gait

        open_steering(args.policy, parse_gait(args.gait) if args.gait else {}, args.port)
        return
    from whole_body_tracking.evaluation.report.played import rollout_tracks

    result = walk_gait(args) if args.gait else track(args)
    if result.played is None:
        print("[WARN] The median rollout diverged at once: there is nothing to show.")
        return
    if args.video:
        tracks = rollout_tracks(result.played, result.reference, result.robot.name)
        print(f"[INFO] Video: {write_video(args.video, tracks, result.played.fps)}")
    if args.viewer:
        from whole_body_tracking.sim2sim.show import show_in_viewer

        show_in_viewer(result.robot, result.played, result.reference)


def walk_by_command(args: argparse.Namespace) -> None:
    """Walk by command and print the table, or open the page that steers."""
    from whole_body_tracking.locomotion.modes import parse_command

    names = ("motion", "compare", "drift", "viewer", "gait")
    given = [f"--{name}" for name in names if getattr(args, name)]
    if given:
        raise ValueError(f"--command and {', '.join(given)} are for different policies: drop one.")
    command = parse_command(args.command)
    if args.steer:
        if args.motion_file:
            raise ValueError("--motion_file is measured against, and --steer measures nothing: drop one.")
        from whole_body_tracking.sim2sim.live_walk import open_live_walk

        open_live_walk(args.policy, command, args.port)
        return
    from whole_body_tracking.sim2sim import walking

    conditions = walking.Conditions(
        args.num_rollouts, args.seconds, args.seed, not args.exact_start, args.control_delay
    )
    result = walking.walk_by_command(
        args.policy, command, conditions, args.output_dir, args.pose_clips, args.video, args.motion_file
    )
    print(result.render())
    print(f"[INFO] Report: {result.folder}")
    if result.video:
        print(f"[INFO] Video: {result.video}")


def walk_gait(args: argparse.Namespace):
    """Play one walk of a gait policy and print its numbers."""
    from whole_body_tracking.sim2sim.gait_run import run_gait_sim2sim
    from whole_body_tracking.sim2sim.gait_walker import parse_gait

    result = run_gait_sim2sim(args.policy, parse_gait(args.gait), args.gait_seconds, args.output_dir)
    (row,) = result.rows
    print("\n".join(f"{name:<24}{value:>10.4g}" for name, value in row.items()))
    return result


def track(args: argparse.Namespace):
    """Play the policy's clips and print the table."""
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
    return result


if __name__ == "__main__":
    run_script(main)
