"""Train a policy through a learned model of the robot, by back-propagation through imagined rollouts.

Example::

    python scripts/world_model/train.py --task=Tracking-Flat-G1-Demo-v0 --motion_file squat.npz --until 0.9 \\
        env.actions.joint_pos.center=joint_target

The run folder is like one of train.py: its checkpoints play, evaluate and export, and PPO goes on with them
(``train.py --load_sft_pretrain``).
"""

import sys

from whole_body_tracking.cli import run_script


def main() -> int:
    """Parse, train, print how it ended and where the policy is."""
    from whole_body_tracking.world_model.training import train_world_model

    result = train_world_model(sys.argv[1:])
    print(f"[INFO] Ended: {result.why_ended}.")
    print(f"[INFO] Checkpoint: {result.checkpoint}")
    return result.exit_code


if __name__ == "__main__":
    run_script(main)
