"""Train one expert for each motion of a list, on as many devices as there are; the same command continues.

Example::

    python scripts/rsl_rl/train_experts.py --task=Tracking-Flat-G1-v0 --motion_file library.yaml \\
        --devices cuda:0 cuda:1 --max_iterations 10000
"""

import sys

from whole_body_tracking.cli import run_script


def main() -> int:
    """Parse, train, say what is missing."""
    from whole_body_tracking.rl.experts.training import train_experts

    result = train_experts(sys.argv[1:])
    print(f"[INFO] Experts of {len(result.table)} motions: {result.table.path}")
    if result.failed:
        print(f"error: no expert of {', '.join(result.failed)}; see above.", file=sys.stderr)
    return 1 if result.failed else 0


if __name__ == "__main__":
    run_script(main)
