"""Train a score prior: a small diffusion model of windows of 10 frames, whose loss says how natural a motion is.

Examples::

    python scripts/pretrain/train_score_prior.py --motion_file clips/ --split activity --output_file prior.safetensors
    python scripts/pretrain/train_score_prior.py --motion_file clips/ --output_file prior.safetensors --resume

Writes the prior, and beside it a folder prior_training with motion_model_last.safetensors (for --resume),
split_info.json, progress.csv, TensorBoard's curves and score_table.json: what windows of the held-out clips lose, and
the same windows reversed, shuffled, noisy and frozen. docs/motion_prior.md says what is measured, and
`train.py --task Velocity-Flat-G1-v0 --score_prior prior.safetensors` makes a reward of it.
"""

import argparse
import shutil
import time
from pathlib import Path

from whole_body_tracking.cli import run_script

SUFFIX = ".safetensors"


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--motion_file", nargs="+", required=True, metavar="PATH", help="Clips, folders, globs or manifests.")
    add("--output_file", type=Path, required=True, metavar="FILE", help=f"The prior, *{SUFFIX}.")
    add("--robot", default="g1", help="Whose clips they are (%(default)s).")
    add("--epochs", type=int, default=20, help="(%(default)s)")
    add("--num_frames", type=int, default=10, help="States of a window (%(default)s).")
    add("--seq_len", type=int, default=40, help="States that are read at once, all windows of which are learnt from.")
    add("--batch_size", type=int, default=16, help="Stretches of --seq_len of a batch (%(default)s).")
    add("--learning_rate", type=float, default=1e-3, help="At its highest (%(default)s).")
    add("--hidden", type=int, default=512, help="Width of the network (%(default)s).")
    add("--layers", type=int, default=3, help="Blocks of the network (%(default)s).")
    add("--seed", type=int, default=42, help="(%(default)s)")
    add("--num_workers", type=int, default=0, help="Processes that read clips (%(default)s: this one reads).")
    add("--precision", default="auto", help="auto, fp32 or bf16 for products of matrices (%(default)s).")
    add("--resume", action="store_true", help="Go on from the last checkpoint.")
    add("--max_minutes", type=float, metavar="N", help="Stop after the epoch in which they are used up.")
    add("--wandb_project", metavar="NAME", help="Also log to this W&B project.")
    add("--num_windows", type=int, default=1000, help="Held-out windows of the table at the end (%(default)s).")
    group = parser.add_argument_group("held-out clips")
    group.add_argument("--split", default="subject", help="subject or activity (%(default)s): what is held out whole.")
    group.add_argument("--test_ratio", type=float, default=0.15, help="Share of the frames to hold out (%(default)s).")
    group.add_argument("--held_out", nargs="+", default=[], metavar="NAME", help="Subjects or activities to hold out.")
    return parser.parse_args(argv)


def main() -> int:
    """Train, print a line per epoch, measure, print the table."""
    args = parse_args()
    from whole_body_tracking.files import replacing, write_json
    from whole_body_tracking.priors.checkpoint import BEST_FILE
    from whole_body_tracking.priors.job import run_pretraining
    from whole_body_tracking.priors.progress import EpochProgress
    from whole_body_tracking.priors.style.loading import load_score_prior
    from whole_body_tracking.priors.style.sanity import (
        sanity_table,
        score_table_file,
        table_content,
        table_lines,
    )

    job = make_job(args)
    split, started = job.split, time.monotonic()
    print(
        f"windows of {job.network.history} frames at {job.layout.fps:g} fps: {len(split.train)} clips to train on,"
        f" {len(split.validation)} to validate; held out: {', '.join(split.held_out)} ({len(split.test)} clips)",
        flush=True,
    )
    with EpochProgress(job.training.epochs) as progress:
        for epoch in run_pretraining(job, progress.report):
            progress.advance()
            print(
                f"epoch {epoch.number + 1}/{job.training.epochs}: train {epoch.train_loss:.4f}, validation"
                f" {epoch.validation_loss:.4f}, {epoch.num_windows} stretches in {epoch.seconds:.0f} s",
                flush=True,
            )
    rows = sanity_table(load_score_prior(job.output_dir / BEST_FILE), split.test, args.num_windows)
    write_json(score_table_file(job.output_dir), table_content(rows, split.test))
    with replacing(args.output_file) as partial:
        shutil.copyfile(job.output_dir / BEST_FILE, partial)
    print("\n".join(table_lines(rows)))
    print(f"written {args.output_file} after {(time.monotonic() - started) / 60.0:.1f} minutes")
    return 0


def make_job(args: argparse.Namespace):
    """The job of a command line; checks what can be checked before the work."""
    from whole_body_tracking.motion.sources.motion_entries import resolve_entries
    from whole_body_tracking.priors.data.splits import make_split
    from whole_body_tracking.priors.job import PretrainJob
    from whole_body_tracking.priors.networks.modes import NetworkSettings
    from whole_body_tracking.priors.precision import chosen_precision
    from whole_body_tracking.priors.training import TrainingSettings
    from whole_body_tracking.robots import get_robot

    _check_output(args)
    split = make_split(resolve_entries(args.motion_file), args.split, args.test_ratio, args.seed, args.held_out)
    if not split.validation:
        raise ValueError(
            f"Only {len(split.train)} clips are not held out. At least three are needed: one of them sets the scale of"
            " the loss. Cut a long clip into parts, or add clips."
        )
    return PretrainJob(
        split=split,
        robot=get_robot(args.robot),
        output_dir=args.output_file.with_name(f"{args.output_file.stem}_training"),
        network=NetworkSettings.score(args.num_frames, args.hidden, args.layers),
        training=TrainingSettings(
            epochs=args.epochs,
            seq_len=args.seq_len,
            batch_size=args.batch_size,
            learning_rate=args.learning_rate,
            seed=args.seed,
            num_workers=args.num_workers,
            precision=chosen_precision(args.precision, "cpu"),
        ),
        resume=args.resume,
        max_minutes=args.max_minutes,
        wandb_project=args.wandb_project,
    )


def _check_output(args: argparse.Namespace) -> None:
    if args.output_file.suffix != SUFFIX:
        raise ValueError(f"--output_file is {args.output_file}, expected a name that ends with {SUFFIX}.")
    if not args.output_file.absolute().parent.is_dir():
        raise FileNotFoundError(f"Cannot write {args.output_file}: its folder does not exist.")
    if args.output_file.exists() and not args.resume:
        raise ValueError(f"{args.output_file} exists. Go on with --resume, or give another --output_file.")
    if not 2 <= args.num_frames <= args.seq_len:
        raise ValueError(
            f"--num_frames is {args.num_frames}, expected from 2 to --seq_len, which is {args.seq_len}: a window is cut"
            " out of a stretch."
        )
    if args.num_windows < 1:
        raise ValueError(f"--num_windows is {args.num_windows}, expected at least 1.")


if __name__ == "__main__":
    run_script(main)
