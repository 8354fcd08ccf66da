"""Train a policy that tracks one or more motions.

Example::

    python scripts/rsl_rl/train.py --task=Tracking-Flat-G1-v0 --motion_file walk.npz --num_envs 4096
"""

import sys

from whole_body_tracking.cli import run_script


def main() -> int:
    """Parse, train, print where the policy is."""
    from whole_body_tracking.rl.training import train

    result = train(sys.argv[1:])
    print(f"[INFO] {result.num_iterations} iterations done. Run folder: {result.run_folder}")
    return result.exit_code


if __name__ == "__main__":
    run_script(main)
