"""Train a policy by supervision: an expert that plans says what to do in states along a clip.

Example::

    python scripts/rsl_rl/train_sft.py --task=Tracking-Flat-G1-Residual-v0 --motion_file squat.npz --max_minutes 10
    python scripts/rsl_rl/train.py --task=Tracking-Flat-G1-Residual-v0 --motion_file squat.npz --load_sft_pretrain RUN

The checkpoint plays, evaluates and exports like any other.
"""

import sys

from whole_body_tracking.cli import run_script


def main() -> int:
    """Parse, train, print the rounds and where the policy is."""
    from whole_body_tracking.rl.sft.training import train_sft

    result = train_sft(sys.argv[1:])
    print(result.render())
    print(f"[INFO] Checkpoint: {result.checkpoint}")
    return result.exit_code


if __name__ == "__main__":
    run_script(main)
