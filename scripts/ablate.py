"""Train variants of a task for the same budget and seeds, evaluate them all in the same way, and print one table.

Example::

    python scripts/ablate.py --task Tracking-Flat-G1-v0 --motion_file walk.npz --max_iterations 3000 --seeds 0 1 2 \\
        --variants baseline,reward_tightening,reward_energy+reward_style wide="agent.actor.hidden_dims=[1024,512]"
"""

import sys

from whole_body_tracking.cli import run_script


def main() -> int:
    """Parse, run, print."""
    from whole_body_tracking.ablation.run import ablate

    result = ablate(sys.argv[1:])
    print(f"[INFO] Tables: {result.folder}")
    return 0


if __name__ == "__main__":
    run_script(main)
