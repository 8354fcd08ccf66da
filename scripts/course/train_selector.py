"""Train a selector over frozen skills on a course of goals, or measure one: reach points in order, perform a clip.

Examples::

    python scripts/course/train_selector.py --gait_policy gait/exported/policy.onnx \\
        --clip_policies squat/exported/policy.onnx --output_dir selector/ --max_minutes 30
    python scripts/course/train_selector.py --gait_policy gait/exported/policy.onnx \\
        --clip_policies squat/exported/policy.onnx --evaluate scripted

The skills are exported policies: one of Gait-Flat-G1-v0 and those of tracking tasks. docs/tasks.md says what a selector
sees and earns.
"""

import argparse
import json
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--gait_policy", type=Path, required=True, metavar="FILE", help="policy.onnx of the gait task.")
    add("--clip_policies", type=Path, nargs="+", required=True, metavar="FILE", help="policy.onnx of tracking tasks.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--output_dir", type=Path, metavar="DIR", help="Train; where the run goes.")
    what.add_argument("--evaluate", metavar="scripted|CHECKPOINT|DIR", help="Measure this one instead.")
    add("--num_envs", type=int, default=128, help="Robots in training (%(default)s).")
    add("--runs", type=int, default=64, help="Courses that are measured (%(default)s).")
    add("--num_goals", type=int, help="Points of a course (a trained selector's, or 3).")
    add("--seconds", type=float, default=60.0, metavar="S", help="Time for a course (%(default)s).")
    add("--max_iterations", type=int, default=300, help="Of PPO, in total (%(default)s).")
    add("--max_minutes", type=float, metavar="N", help="Finish when they are used up.")
    add("--imitate", type=int, default=0, metavar="N", help="First imitate N decisions of the scripted selector.")
    add("--seed", type=int, default=0, help="Of training (%(default)s).")
    add("--resume", action="store_true", help="Go on from the output folder's newest checkpoint.")
    add("--json", type=Path, metavar="FILE", help="Also write the numbers here.")
    return parser.parse_args(argv)


def main() -> int:
    """Check, then train or measure, and print what became of the courses."""
    args = parse_args()
    from whole_body_tracking.files import write_json
    from whole_body_tracking.hierarchy.skill_set import read_skills

    env, job = make_job(args)
    skills = read_skills(args.gait_policy, args.clip_policies)
    rows = measure(args, skills, env) if job is None else train(skills, job)
    for name, row in rows.items():
        print(f"{name:<10} finishes {row['finished']} of {row['runs']} courses, falls in {row['fell']}", end="")
        print(f", out of time in {row['out_of_time']}; {row['goals_reached']:.2f} points reached", end="")
        print("" if row["seconds_median"] is None else f"; {row['seconds_median']:.1f} s in the median")
    if args.json is not None:
        write_json(args.json, rows)
    return 0


def make_job(args: argparse.Namespace):
    """Settings of the environment, and the training or None; checks what can be checked before the work."""
    from whole_body_tracking.hierarchy.course import CourseSettings
    from whole_body_tracking.hierarchy.env import CourseEnvSettings
    from whole_body_tracking.hierarchy.training import CHECKPOINTS, SelectorJob, SelectorPpoSettings, trained_goals

    if args.runs < 1 or args.imitate < 0:
        raise ValueError(f"--runs is {args.runs}, expected at least 1; --imitate is {args.imitate}, at least 0.")
    if args.json is not None and not args.json.absolute().parent.is_dir():
        raise FileNotFoundError(f"--json: the folder {args.json.absolute().parent} does not exist.")
    goes_on = args.resume and args.output_dir is not None and any(args.output_dir.glob(CHECKPOINTS))
    selector = str(args.output_dir) if goes_on else args.evaluate
    trained = None if selector is None else trained_goals(selector)
    known = [value for value in (args.num_goals, trained) if value is not None]
    course = CourseSettings(num_goals=known[0] if known else CourseSettings.num_goals, seconds=args.seconds)
    env = CourseEnvSettings(num_envs=args.num_envs, course=course, seed=args.seed)
    if args.evaluate is not None:
        return env, None
    ppo = SelectorPpoSettings(max_iterations=args.max_iterations, max_minutes=args.max_minutes)
    return env, SelectorJob(args.output_dir, env, ppo, args.resume, args.imitate, args.runs)


def measure(args: argparse.Namespace, skills, env) -> dict:
    """Numbers of one selector, by its name."""
    from whole_body_tracking.hierarchy.training import make_selector, measured

    return {args.evaluate: measured(skills, env, args.runs, lambda made: make_selector(args.evaluate, made))}


def train(skills, job) -> dict:
    """Numbers of the trained and of the scripted selector."""
    from whole_body_tracking.hierarchy.training import SCRIPTED, train_selector

    summary = train_selector(skills, job)
    print(f"{summary['decisions']} decisions in {summary['seconds'] / 60.0:.1f} min. Written: {job.output_dir}")
    print(json.dumps({"skills": summary["skills"]}))
    return {name: summary[name] for name in ("policy", SCRIPTED)}


if __name__ == "__main__":
    run_script(main)
