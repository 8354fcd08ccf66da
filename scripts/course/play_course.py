"""Click where a robot shall go and pick the clip that it performs there: frozen skills, chosen by a selector.

Examples::

    python scripts/course/play_course.py --gait_policy gait/exported/policy.onnx \\
        --clip_policies squat/exported/policy.onnx
    python scripts/course/play_course.py --gait_policy gait/exported/policy.onnx \\
        --clip_policies squat/exported/policy.onnx --selector selector/ --goals 2,0 3,1.5 --clip squat --output run.html

Plain MuJoCo; needs no Isaac Lab. Without --output it opens a page on this machine.
"""

import argparse
import sys
from pathlib import Path

from whole_body_tracking.cli import joined_values, run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--gait_policy", type=Path, required=True, metavar="FILE", help="policy.onnx of the gait task.")
    add("--clip_policies", type=Path, nargs="+", required=True, metavar="FILE", help="policy.onnx of tracking tasks.")
    add("--selector", default="scripted", metavar="scripted|CHECKPOINT|DIR", help="Who chooses (%(default)s).")
    add("--goals", nargs="+", action="extend", default=[], metavar="X,Y", help="First points to reach [m], in order.")
    add("--clip", metavar="NAME", help="Clip to perform after the last point; default: the first one.")
    add("--output", type=Path, metavar="FILE.html", help="Run the goals at once and write a page that needs no server.")
    add("--seconds", type=float, default=60.0, metavar="S", help="Longest time of that (%(default)s).")
    add("--port", type=int, default=8080, help="First port that the page tries (%(default)s).")
    return parser.parse_args(joined_values(sys.argv[1:] if argv is None else argv, "--goals"))


def main() -> int:
    """Check everything, then play."""
    args = parse_args()
    from whole_body_tracking.hierarchy.course import CourseSettings
    from whole_body_tracking.hierarchy.env import CourseEnv, CourseEnvSettings, require_clip
    from whole_body_tracking.hierarchy.play.page import open_page
    from whole_body_tracking.hierarchy.play.playing import make_course, parse_goals, write_course_page
    from whole_body_tracking.hierarchy.skill_set import read_skills
    from whole_body_tracking.hierarchy.training import make_selector, trained_goals
    from whole_body_tracking.viewer.files import check_target

    goals = parse_goals(args.goals)
    settings = CourseSettings(trained_goals(args.selector) or CourseSettings.num_goals, seconds=args.seconds)
    if len(goals) > settings.num_goals:
        raise ValueError(f"--goals has {len(goals)} points, expected {settings.num_goals} at most.")
    if args.output is not None:
        check_target(args.output)
        if not goals:
            raise ValueError("--output runs the points of --goals, and there are none. Such as: --goals 2,0 3,1.5.")
    skills = read_skills(args.gait_policy, args.clip_policies)
    if args.clip is not None:
        require_clip(skills.names, args.clip)
    env = CourseEnv(skills, CourseEnvSettings(num_envs=1, course=settings, num_threads=1))
    try:
        course = make_course(env, make_selector(args.selector, env), goals, args.clip)
        if args.output is None:
            open_page(course, args.port)
            return 0
        path = write_course_page(args.output, course, args.seconds)
        print(f"finished: {course.num_finished}, falls: {course.num_falls}. Written: {path}")
        return 0 if course.num_finished else 1
    finally:
        env.close()


if __name__ == "__main__":
    run_script(main)
