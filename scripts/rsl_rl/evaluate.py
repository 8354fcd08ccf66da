"""Roll a policy out over its motions, from frame 0 to the end, and report how well it tracks.

Example::

    python scripts/rsl_rl/evaluate.py --task=Tracking-Flat-G1-v0 --checkpoint latest --motion_file walk.npz
    python scripts/rsl_rl/evaluate.py --task=Tracking-Flat-G1-v0 --checkpoint latest --motion_file walk.npz \\
        --scenarios standard,low_friction,strong_push
    python scripts/rsl_rl/evaluate.py --recording run.npz  # what scripts/deploy/run_policy.py recorded
"""

import sys

from whole_body_tracking.cli import run_script


def main() -> int:
    """Parse, evaluate, print the table."""
    if any(argument.split("=")[0] == "--recording" for argument in sys.argv[1:]):
        from whole_body_tracking.deploy.scoring import score_from_command_line as evaluate
    else:
        from whole_body_tracking.evaluation.evaluate import evaluate

    result = evaluate(sys.argv[1:])
    print(result.render())
    print(f"[INFO] Report: {result.folder}")
    return 0


if __name__ == "__main__":
    run_script(main)
