"""Measure MotionNN on held-out clips, beside holding the pose and constant velocity.

Example::

    python scripts/pretrain/eval_motion.py --model motion_prior/motion_model_best.safetensors \
        --split_file motion_prior/split_info.json --use_test_set --num_frames 500 --json numbers.json

With --output_dir it also writes report.html with plots, and a page in which prediction and truth move side by side.
"""

import argparse
import sys
from pathlib import Path

from whole_body_tracking.cli import require_not_given, run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--model", type=Path, required=True, metavar="FILE", help="motion_model_best.safetensors of a training.")
    add("--split_file", type=Path, required=True, metavar="FILE", help="Its split_info.json.")
    add("--use_test_set", action="store_true", help="Measure the held-out clips; default: the validation clips.")
    add("--num_frames", type=int, default=500, help="Frames to predict (%(default)s).")
    add("--num_windows", type=int, default=64, help="Windows to predict from, spread over the clips (%(default)s).")
    add(
        "--temperature",
        type=float,
        default=0.1,
        help="Of the rollouts drawn beside the mean ones (%(default)s); 0: none.",
    )
    add("--precision", default="auto", help="auto, fp32 or bf16 for products of matrices (%(default)s).")
    add("--json", type=Path, metavar="FILE", help="Write the numbers as JSON.")
    add("--output_dir", type=Path, metavar="DIR", help="Write report.html and rollout.html here.")
    return parser.parse_args(argv)


def main() -> int:
    """Predict, measure, print tables, write."""
    args = parse_args()
    from rich.console import Console

    from whole_body_tracking.files import write_json
    from whole_body_tracking.priors.checkpoint import read_model_file
    from whole_body_tracking.priors.evaluate import EvaluationJob, run_evaluation
    from whole_body_tracking.priors.precision import chosen_precision
    from whole_body_tracking.priors.progress import StepProgress
    from whole_body_tracking.priors.report import print_result, write_report

    if args.json and not args.json.absolute().parent.is_dir():
        raise FileNotFoundError(f"Cannot write {args.json}: the folder {args.json.absolute().parent} does not exist.")
    if read_model_file(args.model)[1]["network"]["mode"] == "vae":
        reason = "A VAE predicts no frames: it restores windows of one second."
        require_not_given(("num_frames", "temperature", "precision"), sys.argv[1:], reason)
    job = EvaluationJob(
        model_file=args.model,
        split_file=args.split_file,
        role="test" if args.use_test_set else "validation",
        num_frames=args.num_frames,
        num_windows=args.num_windows,
        temperature=args.temperature,
        precision=chosen_precision(args.precision, "cpu"),
    )
    with StepProgress(args.num_frames * (2 if args.temperature > 0.0 else 1)) as progress:
        result = run_evaluation(job, progress.report)
    print_result(result, Console(width=max(100, Console().width)))
    if args.json:
        write_json(args.json, result.content)
    if args.output_dir:
        for path in write_report(args.output_dir, result):
            print(f"written {path}")
    return 0


if __name__ == "__main__":
    run_script(main)
