"""Play mocap, or an arm raise, on a human body with 416 muscles: torques, activations, forces and a page.

Examples::

    python scripts/muscle/play_human.py --arm_raise --output_dir arm_raise/
    python scripts/muscle/play_human.py --motion_file walk.bvh --frame_range 1 300 --output_dir walk/
    python scripts/muscle/play_human.py --motion_file 11_01.amc --skeleton 11.asf --output_dir kick/ --json kick.json

Needs the extra [muscles]. Writes report.html, body.html beside it, motion.npz, report.json and muscle_nn.safetensors.
docs/human.md explains them.
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--motion_file", type=Path, metavar="FILE", help="BVH or AMC file.")
    what.add_argument("--arm_raise", action="store_true", help="Stand and raise both arms, made here.")
    add("--skeleton", type=Path, metavar="FILE", help="ASF of an AMC; default: the one beside it.")
    add("--frame_range", type=int, nargs=2, metavar=("FIRST", "LAST"), help="Rows of the mocap, from 1, both included.")
    add("--unit", help="Unit of the mocap; default: told from the legs.")
    add("--table", metavar="NAME|FILE", help="Correspondence table of the mocap; default: fits.")
    add("--fps", type=float, default=50.0, help="Rate at which it is played [Hz] (%(default)s).")
    add("--output_dir", type=Path, required=True, metavar="DIR", help="Where results go.")
    add("--muscle_model", type=Path, metavar="FILE", help="MuscleNN of an earlier run; default: one is trained.")
    add("--train_minutes", type=float, default=2.0, metavar="N", help="For MuscleNN; 0: without (%(default)s).")
    add("--seed", type=int, default=0, help="Of the network's training (%(default)s).")
    add("--no_page", action="store_true", help="Leave out body.html.")
    add("--json", type=Path, metavar="FILE", help="Also write the report here.")
    return parser.parse_args(argv)


def main() -> int:
    """Play, print the table, say where the pages are."""
    args = parse_args()
    from whole_body_tracking.human.model.extra import human_model_path

    human_model_path()
    job, mocap = make_job(args)
    for note in () if mocap is None else mocap.notes:
        print(f"{args.motion_file.name}: {note}")
    from whole_body_tracking.human.job import explain
    from whole_body_tracking.human.model.myofullbody import load_human
    from whole_body_tracking.human.report import report_json, residual_lines, table_lines
    from whole_body_tracking.human.writing import write_results

    body = load_human()
    motion = make_motion(args, body, mocap)
    args.output_dir.mkdir(parents=True, exist_ok=True)
    result = explain(body, motion, job, report=lambda line: print(line, flush=True))
    print("\n".join(table_lines(result)))
    print("\n".join(residual_lines(result)))
    speeds = ", ".join(f"{name} {value:.0f}" for name, value in result.frames_per_s.items())
    print(f"frames per second: {speeds}")
    content = report_json(result)
    print(f"metabolic rate: {content['metabolic_rate_w_per_kg']:.2f} W/kg in the muscles")
    for path in write_results(result, content, args.output_dir, with_body=not args.no_page, json_file=args.json):
        print(f"Written: {path}")
    return 0


def make_job(args: argparse.Namespace):
    """The job, and the mocap as read or None; checks what can be checked before the work."""
    from whole_body_tracking.human.job import HumanJob
    from whole_body_tracking.human.motions.mocap_motion import read_range

    if args.json is not None and not args.json.absolute().parent.is_dir():
        raise FileNotFoundError(f"--json: the folder {args.json.absolute().parent} does not exist.")
    if not 10.0 <= args.fps <= 500.0:
        raise ValueError(f"--fps is {args.fps:g}, expected 10 to 500.")
    if args.arm_raise and (args.frame_range or args.skeleton or args.unit or args.table):
        raise ValueError("--frame_range, --skeleton, --unit and --table are for --motion_file; an arm raise has none.")
    job = HumanJob(args.output_dir, args.muscle_model, args.train_minutes, args.seed)
    if args.arm_raise:
        return job, None
    return job, read_range(args.motion_file, args.skeleton, args.frame_range, args.unit, args.table)


def make_motion(args: argparse.Namespace, body, mocap):
    """The motion on the body."""
    from whole_body_tracking.human.motions.arm_raise import arm_raise
    from whole_body_tracking.human.motions.mocap_motion import motion_of

    if mocap is None:
        return arm_raise(body, args.fps)
    return motion_of(mocap, body, args.fps)


if __name__ == "__main__":
    run_script(main)
