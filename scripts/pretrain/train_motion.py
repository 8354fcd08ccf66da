"""Train MotionNN: a network that predicts a robot's next state from its motion, without a simulator.

Examples::

    python scripts/pretrain/train_motion.py --motion_file clips/ --mode mlp --epochs 20 --output_dir motion_prior
    python scripts/pretrain/train_motion.py --bvh_dir mocap/ --mode transformer --split activity --output_dir prior
    python scripts/pretrain/train_motion.py --motion_file clips/ --mode vae --output_dir blend

Writes motion_model_best.safetensors, motion_model_last.safetensors (for --resume), split_info.json, progress.csv and
TensorBoard's curves. docs/motion_prior.md says what is predicted, and how well.
"""

import argparse
import sys
import time
from pathlib import Path

from whole_body_tracking.cli import require_not_given, run_script

PREDICTED = (
    "seq_len",
    "position_weight",
    "velocity_weight",
    "multi_step_share",
    "multi_step_length",
    "multi_step_gradients",
    "smoothness_weight",
    "noise",
    "energy_weight",
    "free_steps",
)
"""Options of modes that predict the next state; a VAE encodes windows of one second and has a loss of its own."""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--motion_file", nargs="+", default=[], metavar="PATH", help="Clips, folders, globs or manifests.")
    add("--bvh_dir", type=Path, metavar="DIR", help="Folder of mocap; retargeted into it once, and kept.")
    add("--bvh_fps", type=float, default=30.0, help="Rate of the clips made of it [Hz] (%(default)s).")
    add("--output_dir", type=Path, required=True, metavar="DIR", help="Where the model goes.")
    add("--mode", default="mlp", help="mlp, transformer, transformer_reg or vae (%(default)s).")
    add("--robot", default="g1", help="Whose clips they are (%(default)s).")
    add("--epochs", type=int, default=20, help="(%(default)s)")
    add("--seq_len", type=int, default=64, help="States of a training window (%(default)s).")
    add("--batch_size", type=int, default=32, help="Windows of a batch (%(default)s).")
    add("--learning_rate", type=float, default=1e-3, help="At its highest (%(default)s).")
    add("--hidden", type=int, help="Width of the network; default: 512, transformers 256.")
    add("--history", type=int, help="States that an MLP sees; default: 8.")
    add("--layers", type=int, help="Layers of the network; default: 3, transformers 4.")
    add("--seed", type=int, default=42, help="(%(default)s)")
    add("--num_workers", type=int, default=0, help="Processes that read clips (%(default)s: this one reads).")
    add("--precision", default="auto", help="auto, fp32 or bf16 for products of matrices (%(default)s).")
    add("--resume", action="store_true", help="Go on from the output folder's last checkpoint.")
    add("--max_minutes", type=float, metavar="N", help="Stop after the epoch in which they are used up.")
    add("--wandb_project", metavar="NAME", help="Also log to this W&B project.")
    _add_split_args(parser.add_argument_group("held-out clips"))
    _add_loss_args(parser.add_argument_group("losses"))
    return parser.parse_args(argv)


def _add_split_args(group) -> None:
    group.add_argument("--split", default="subject", help="subject or activity (%(default)s): what is held out whole.")
    group.add_argument("--activity_split", action="store_const", const="activity", dest="split", help="Its alias.")
    group.add_argument("--test_ratio", type=float, default=0.15, help="Share of the frames to hold out (%(default)s).")
    group.add_argument("--held_out", nargs="+", default=[], metavar="NAME", help="Subjects or activities to hold out.")
    group.add_argument(
        "--curriculum",
        nargs="+",
        default=[],
        metavar="TAG=FIRST-LAST",
        help="Epochs in which clips with a tag or activity take part, such as walk=1- run=5-.",
    )


def _add_loss_args(group) -> None:
    add = group.add_argument
    add("--position_weight", type=float, default=1.0, help="(%(default)s)")
    add("--velocity_weight", default="0.1", help="A number, or auto to balance by variance (%(default)s).")
    add("--multi_step_share", type=float, default=0.7, help="Share of multi-step batches (%(default)s).")
    add("--multi_step_length", type=int, default=15, help="Their steps (%(default)s).")
    add("--multi_step_gradients", default="through", help="through all steps, or detached (%(default)s).")
    add("--smoothness_weight", type=float, default=0.01, help="Of second differences of velocities (%(default)s).")
    add("--noise", type=float, default=0.3, help="On the seen states, in their change per frame (%(default)s).")
    add("--energy_weight", type=float, default=0.1, help="Of speed and amplitude of multi-step batches (%(default)s).")
    add("--free_steps", type=int, default=30, help="Most steps before energy is compared once more (%(default)s).")


def main() -> int:
    """Train, print a line per epoch, say where the model is."""
    args = parse_args()
    from whole_body_tracking.priors.checkpoint import BEST_FILE
    from whole_body_tracking.priors.job import run_pretraining
    from whole_body_tracking.priors.progress import EpochProgress

    job = make_job(args)
    print(describe(job), flush=True)
    started, cpu = time.monotonic(), time.process_time()
    with EpochProgress(job.training.epochs) as progress:
        for epoch in run_pretraining(job, progress.report):
            progress.advance()
            print(
                f"epoch {epoch.number + 1}/{job.training.epochs}: train {epoch.train_loss:.4f}, validation"
                f" {epoch.validation_loss:.4f}, {epoch.num_windows} windows in {epoch.seconds:.0f} s",
                flush=True,
            )
    minutes, cpu_minutes = (time.monotonic() - started) / 60.0, (time.process_time() - cpu) / 60.0
    print(f"written {job.output_dir / BEST_FILE} after {minutes:.1f} minutes, {cpu_minutes:.1f} of them on the CPU")
    return 0


def make_job(args: argparse.Namespace):
    """The job of a command line; checks what can be checked before the work."""
    from whole_body_tracking.motion.sources.motion_entries import resolve_entries
    from whole_body_tracking.priors.data.curriculum import read_curriculum
    from whole_body_tracking.priors.data.splits import make_split
    from whole_body_tracking.priors.job import PretrainJob
    from whole_body_tracking.priors.networks.modes import MODES, NetworkSettings
    from whole_body_tracking.robots import get_robot

    robot, items = get_robot(args.robot), list(args.motion_file)
    if args.mode != "mlp" and args.mode in MODES:
        require_not_given(["history"], sys.argv[1:], f"--mode {args.mode} has no --history: it is for mlp.")
    if args.mode == "vae":
        require_not_given(PREDICTED, sys.argv[1:], "--mode vae encodes windows of one second with a loss of its own.")
    network = NetworkSettings.default(args.mode, args.seq_len, args.hidden, args.layers, args.history)
    training = _training_settings(args)
    if args.bvh_dir is not None:
        from whole_body_tracking.priors.data.mocap_clips import retargeted_clips

        items.append(str(retargeted_clips(args.bvh_dir, robot, args.bvh_fps, lambda line: print(line, flush=True))))
    return PretrainJob(
        split=make_split(resolve_entries(items), args.split, args.test_ratio, args.seed, args.held_out),
        robot=robot,
        output_dir=args.output_dir,
        network=network,
        training=training,
        curriculum=read_curriculum(args.curriculum),
        resume=args.resume,
        max_minutes=args.max_minutes,
        wandb_project=args.wandb_project,
    )


def _training_settings(args: argparse.Namespace):
    from whole_body_tracking.priors.losses import AUTO, LossSettings
    from whole_body_tracking.priors.precision import chosen_precision
    from whole_body_tracking.priors.training import TrainingSettings

    try:
        velocity_weight = AUTO if args.velocity_weight == AUTO else float(args.velocity_weight)
    except ValueError:
        raise ValueError(f"--velocity_weight is '{args.velocity_weight}', expected a number or auto.") from None
    loss = LossSettings(
        args.position_weight,
        velocity_weight,
        args.multi_step_share,
        args.multi_step_length,
        args.multi_step_gradients,
        args.smoothness_weight,
        args.noise,
        args.energy_weight,
        args.free_steps,
    )
    return TrainingSettings(
        epochs=args.epochs,
        seq_len=args.seq_len,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        seed=args.seed,
        num_workers=args.num_workers,
        precision=chosen_precision(args.precision, "cpu"),
        loss=loss,
    )


def describe(job) -> str:
    """What will be trained, in two lines."""
    split = job.split
    return (
        f"{job.network.mode} at {job.layout.fps:g} fps in {job.training.precision}: {len(split.train)} clips to train"
        f" on, {len(split.validation)} to validate\nheld out by {split.kind}: {', '.join(split.held_out)}"
        f" ({len(split.test)} clips)"
    )


if __name__ == "__main__":
    run_script(main)
