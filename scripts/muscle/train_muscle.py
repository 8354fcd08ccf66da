"""Train MuscleNN, the network that finds muscle activations for desired torques: on sampled states, then with PPO.

Examples::

    python scripts/muscle/train_muscle.py --output_dir muscles/
    python scripts/muscle/train_muscle.py --output_dir muscles/ --task Tracking-Flat-G1-Demo-v0 \
        --motion_file squat.npz --ppo_minutes 10 physics=mujoco_cpu
    python scripts/rsl_rl/train.py --task Tracking-Flat-G1-v0 presets=muscles \
        env.scene.robot.actuators.muscles.muscle_nn=muscles/muscle_nn.safetensors

The first needs no simulator. It writes muscle_nn.safetensors, muscle_nn_last.safetensors (for --resume), progress.csv,
summary.json and TensorBoard's curves. With --task and train.py's other arguments it goes on in turns with PPO: the
policy gives target poses, and the network learns from the states in which it is asked. docs/actuation.md says what is
learnt, and how well.
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> tuple[argparse.Namespace, list[str]]:
    """Parse the command line; what is not known here is train.py's."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--output_dir", type=Path, required=True, metavar="DIR", help="Where the network goes.")
    add("--robot", default="g1", help="Whose muscles (%(default)s).")
    add("--iterations", type=int, default=200, help="Of the whole network (%(default)s).")
    add("--batch_size", type=int, default=128, help="States of an iteration (%(default)s).")
    add("--pair_iterations", type=int, default=4000, help="Of one pair's network before that (%(default)s).")
    add("--learning_rate", type=float, help="At first; default: 3e-5, or 1e-3 without --pair_iterations.")
    add("--hidden", type=int, nargs="+", help="Widths of the hidden layers; default: 1024 512 512.")
    add("--save_every", type=int, default=100, help="Iterations per checkpoint (%(default)s).")
    add("--seed", type=int, default=0, help="Also of PPO (%(default)s).")
    add("--max_minutes", type=float, metavar="N", help="Finish the sampled states when they are used up.")
    add("--resume", action="store_true", help="Go on from the output folder's last checkpoint.")
    add("--json", type=Path, metavar="FILE", help="Also write the summary here.")
    group = parser.add_argument_group("in turns with PPO; all other arguments are train.py's")
    group.add_argument("--task", help="Task of the policy, such as Tracking-Flat-G1-Demo-v0.")
    group.add_argument("--muscle_nn", type=Path, metavar="FILE", help="Start from this network; no sampled states.")
    group.add_argument("--ppo_minutes", type=float, metavar="N", help="Stop PPO after this long.")
    args, others = parser.parse_known_args(argv)
    if args.task is None and (others or args.muscle_nn or args.ppo_minutes):
        given = [*others, *(name for name in ("--muscle_nn", "--ppo_minutes") if getattr(args, name[2:]))]
        raise ValueError(f"{given} are for PPO, which needs --task. Give a task, or leave them out.")
    return args, others


def main() -> int:
    """Train on sampled states, compare with least squares, then alternate with PPO if there is a task."""
    args, others = parse_args()
    from whole_body_tracking.actuation.muscle_nn import load_muscle_nn
    from whole_body_tracking.actuation.muscle_training import MODEL_FILE
    from whole_body_tracking.robots import get_robot

    require_folder(args.json)
    network = args.muscle_nn or args.output_dir / MODEL_FILE
    ppo = None if args.task is None else parse_ppo(args, others, network)
    if args.muscle_nn is None:
        train_on_samples(args)
    else:
        load_muscle_nn(args.muscle_nn, get_robot(args.robot))
    return 0 if ppo is None else train_in_turns(args, ppo)


def require_folder(path: Path | None) -> None:
    """Check that a file can be written there.

    Raises:
        FileNotFoundError: If its folder does not exist.
    """
    if path is not None and not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"--json: the folder {path.absolute().parent} does not exist.")


def parse_ppo(args: argparse.Namespace, others: list[str], network: Path) -> argparse.Namespace:
    """train.py's arguments; wrong ones are found before the work."""
    from whole_body_tracking.rl.muscle.alternation import parse_alternation
    from whole_body_tracking.rl.session import resolve_motions

    minutes = [] if args.ppo_minutes is None else ["--max_minutes", str(args.ppo_minutes)]
    ppo = parse_alternation([*others, "--task", args.task, "--seed", str(args.seed), *minutes], network)
    resolve_motions(ppo)
    return ppo


def train_on_samples(args: argparse.Namespace) -> None:
    """Train without a simulator, print a row per checkpoint, compare with least squares, say where the network is."""
    from whole_body_tracking.actuation.least_squares import compare_with_least_squares
    from whole_body_tracking.actuation.muscle_nn import load_muscle_nn
    from whole_body_tracking.actuation.muscle_training import MODEL_FILE, train_muscle_nn
    from whole_body_tracking.files import write_json
    from whole_body_tracking.priors.progress import EpochProgress

    job = make_job(args)
    print(
        f"{'iteration':>9} {'loss':>9} {'torque error':>12} {'99 %':>8} {'activation':>10} {'seconds':>8}", flush=True
    )
    with EpochProgress(job.iterations) as progress:

        def report(row: dict) -> None:
            progress.advance_to(row["iteration"])
            print(
                f"{row['iteration']:9d} {row['loss']:9.5f} {row['torque_error']:12.2%} {row['torque_error_p99']:8.2%}"
                f" {row['activation']:10.3f} {row['seconds']:8.0f}",
                flush=True,
            )

        summary = train_muscle_nn(job, report)
    model = load_muscle_nn(job.output_dir / MODEL_FILE, job.robot)[0]
    summary |= compare_with_least_squares(model, job.robot)
    print(
        f"least squares: error {summary['least_squares_error']:.2%}, {summary['least_squares_ms']:.2f} ms a state\n"
        f"the network:   error {summary['torque_error']:.2%}, {summary['network_ms']:.4f} ms a state in a batch,"
        f" {summary['speedup']:.0f} times faster ({summary['single_state_speedup']:.0f} one state at a time)"
    )
    if args.json is not None:
        write_json(args.json, summary)
    print(f"Written: {job.output_dir / MODEL_FILE}")


def train_in_turns(args: argparse.Namespace, ppo: argparse.Namespace) -> int:
    """Train policy and network in turns, say how well the network does where the policy goes, and keep it."""
    from whole_body_tracking.actuation.muscle_drive import MUSCLE_FILE
    from whole_body_tracking.files import write_atomically, write_json
    from whole_body_tracking.rl.muscle.alternation import alternate

    result = alternate(ppo)
    network, first = result.errors[-1]
    print(
        f"torque error on the states of the last rollout, before learning from them: {first:.2%} as trained without"
        f" the policy, {network:.2%} after {len(result.errors)} turns"
    )
    args.output_dir.mkdir(parents=True, exist_ok=True)
    kept = args.output_dir / "muscle_nn_in_turns.safetensors"
    write_atomically(kept, (result.run_folder / "exported" / MUSCLE_FILE).read_bytes())
    write_json(args.output_dir / "in_turns.json", {"run": str(result.run_folder), "errors": result.errors})
    print(f"Written: {kept}, and the policy to {result.run_folder}")
    return result.exit_code


def make_job(args: argparse.Namespace):
    """The job of a command line; checks what can be checked before the work."""
    from whole_body_tracking.actuation.muscle_nn import HIDDEN
    from whole_body_tracking.actuation.muscle_training import MuscleTrainingJob
    from whole_body_tracking.robots import get_robot

    return MuscleTrainingJob(
        output_dir=args.output_dir,
        robot=get_robot(args.robot),
        iterations=args.iterations,
        batch_size=args.batch_size,
        pair_iterations=args.pair_iterations,
        learning_rate=args.learning_rate,
        hidden=HIDDEN if args.hidden is None else tuple(args.hidden),
        save_every=args.save_every,
        seed=args.seed,
        resume=args.resume,
        max_minutes=args.max_minutes,
    )


if __name__ == "__main__":
    run_script(main)
