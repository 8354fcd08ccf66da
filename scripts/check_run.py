"""Check a training run's curves, and say what to change.

Example::

    python scripts/check_run.py logs/rsl_rl/g1_flat/2026-01-31_12-00-00_walk
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script

STATUS_OF_FINDINGS = 3


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("run", type=Path, nargs="?", metavar="RUN", help="Run folder, running or finished.")
    where.add_argument("--wandb_path", metavar="ORG/PROJECT/RUN_ID", help="Run of W&B.")
    parser.add_argument("--strict", action="store_true", help=f"Exit with {STATUS_OF_FINDINGS} if something is wrong.")
    return parser.parse_args(argv)


def main() -> int:
    """Read, check, print."""
    args = parse_args()
    from whole_body_tracking.health import check_run, read_run, read_wandb_run
    from whole_body_tracking.health.checks import MIN_ITERATIONS
    from whole_body_tracking.health.expectation import tracking_score

    run = read_wandb_run(args.wandb_path) if args.wandb_path else read_run(args.run)
    score = tracking_score(run)
    print(f"{run.num_iterations} iterations, tracking score {'unknown' if score is None else f'{score:.2f}'}")
    if run.num_iterations < MIN_ITERATIONS:
        print(f"Too short to judge trends: {MIN_ITERATIONS} iterations are needed.")
    findings = check_run(run)
    for finding in findings:
        print(f"\n[{finding.name}] {finding.found}\n  try: {finding.advice}")
    if not findings:
        print("Nothing wrong was found.")
    return STATUS_OF_FINDINGS if findings and args.strict else 0


if __name__ == "__main__":
    run_script(main)
