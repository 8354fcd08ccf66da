"""Distil experts of single motions into one policy, which play.py, evaluate.py and the export take like any other.

Example::

    python scripts/rsl_rl/distil.py --task=Tracking-Flat-G1-Multi-v0 --experts experts/experts.yaml \\
        --motion_file library.yaml --max_iterations 5000 presets=motion_preview
"""

import sys

from whole_body_tracking.cli import run_script


def main() -> int:
    """Parse, distil, print where the policy is."""
    from whole_body_tracking.rl.experts.distilling import distil

    result = distil(sys.argv[1:])
    print(f"[INFO] {result.num_iterations} iterations done. Run folder: {result.run_folder}")
    return result.exit_code


if __name__ == "__main__":
    run_script(main)
