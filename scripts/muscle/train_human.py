"""Train a human body with 416 muscles to stand, raise its arms or follow mocap: Tracking-MyoFullBody-v0.

Examples::

    python scripts/muscle/train_human.py --stand --output_dir stand/ --max_minutes 60
    python scripts/muscle/train_human.py --arm_raise --output_dir arm_raise/ --num_envs 64 --max_minutes 60
    python scripts/muscle/train_human.py --arm_raise --output_dir arm_raise/ --resume --max_minutes 60

Needs the extra [muscles]. Writes checkpoints, progress.csv, summary.json and TensorBoard's curves. docs/human.md says
what is learnt, and how far an hour goes.
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--stand", action="store_true", help="Stand still.")
    what.add_argument("--arm_raise", action="store_true", help="Stand and raise both arms.")
    what.add_argument("--motion_file", type=Path, metavar="FILE", help="BVH or AMC file.")
    add("--skeleton", type=Path, metavar="FILE", help="ASF of an AMC; default: the one beside it.")
    add("--frame_range", type=int, nargs=2, metavar=("FIRST", "LAST"), help="Rows of the mocap, from 1, both included.")
    add("--fps", type=float, default=50.0, help="Control rate [Hz] (%(default)s).")
    add("--output_dir", type=Path, required=True, metavar="DIR", help="Where the run goes.")
    add(
        "--action", default="torques", metavar="KIND", help="'torques' of joints or muscle 'excitations' (%(default)s)."
    )
    add("--num_envs", type=int, default=32, help="Bodies (%(default)s).")
    add("--max_iterations", type=int, default=1000, help="Of PPO, in total (%(default)s).")
    add("--max_minutes", type=float, metavar="N", help="Finish when they are used up.")
    add("--seed", type=int, default=0, help="(%(default)s)")
    add("--resume", action="store_true", help="Go on from the output folder's newest checkpoint.")
    return parser.parse_args(argv)


def main() -> int:
    """Train, say how far it came."""
    args = parse_args()
    from whole_body_tracking.human.model.extra import human_model_path

    human_model_path()
    job, mocap = make_job(args)
    for note in () if mocap is None else mocap.notes:
        print(f"{args.motion_file.name}: {note}")
    from whole_body_tracking.human.model.myofullbody import load_human
    from whole_body_tracking.human.training.job import train_human

    body = load_human()
    summary = train_human(body, make_motion(args, body, mocap), job)
    for name in ("untrained", "policy"):
        row = summary[name]
        print(
            f"{name:<13} survives {row['survived']:.0%} of the motion, tracking {row['tracking']:.3f}; pushed,"
            f" {row['pushed_finished']:.0%} finish"
        )
    print(f"{summary['steps']} steps in {summary['seconds'] / 60.0:.1f} min. Written: {job.output_dir}")
    return 0


def make_job(args: argparse.Namespace):
    """The job, and the mocap as read or None; checks what can be checked before the work."""
    from whole_body_tracking.human.motions.mocap_motion import read_range
    from whole_body_tracking.human.training.env import HumanEnvSettings, require_substeps
    from whole_body_tracking.human.training.job import HumanTrainingJob
    from whole_body_tracking.human.training.runner import PpoSettings

    env = HumanEnvSettings(num_envs=args.num_envs, action=args.action, seed=args.seed)
    require_substeps(args.fps, env.physics_dt)
    ppo = PpoSettings(max_iterations=args.max_iterations, max_minutes=args.max_minutes)
    job = HumanTrainingJob(args.output_dir, env, ppo, args.resume)
    if args.motion_file is None:
        if args.frame_range or args.skeleton:
            raise ValueError("--frame_range and --skeleton are for --motion_file.")
        return job, None
    return job, read_range(args.motion_file, args.skeleton, args.frame_range)


def make_motion(args: argparse.Namespace, body, mocap):
    """The motion on the body."""
    from whole_body_tracking.human.motions.arm_raise import ELEVATION, arm_raise
    from whole_body_tracking.human.motions.mocap_motion import motion_of

    if mocap is None:
        return arm_raise(body, args.fps, 0.0 if args.stand else ELEVATION)
    return motion_of(mocap, body, args.fps)


if __name__ == "__main__":
    run_script(main)
