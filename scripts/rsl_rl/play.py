"""Play a trained policy from the first frame of its motion.

Example::

    python scripts/rsl_rl/play.py --task=Tracking-Flat-G1-v0 --num_envs=2 --checkpoint latest --viz viser
    python scripts/rsl_rl/play.py --task=Tracking-Flat-G1-v0 --checkpoint latest --video
    python scripts/rsl_rl/play.py --task=Tracking-Flat-G1-v0 --checkpoint latest --export walk_policy
"""

import sys

from whole_body_tracking.cli import run_script


def main() -> int:
    """Parse, play, print how it went."""
    from whole_body_tracking.rl.playing import play

    result = play(sys.argv[1:])
    exported = f" Exported policy: {result.policy_file}" if result.policy_file else ""
    print(
        f"[INFO] Played {result.num_steps} steps of {result.checkpoint.name}: {result.num_episodes} episodes ended,"
        f" {result.num_failures} of them in a failure.{exported}"
    )
    if result.video:
        print(f"[INFO] Video: {result.video}")
    return 0


if __name__ == "__main__":
    run_script(main)
