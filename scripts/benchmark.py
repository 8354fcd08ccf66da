"""Measure how fast this machine simulates and trains, against native MuJoCo as the limit.

Example::

    python scripts/benchmark.py physics=mujoco_cpu --output now.json --compare earlier.json

Rates are environment steps (envs times control steps) per second. Without further flags it ends in under 5 minutes.
"""

import sys

from whole_body_tracking.cli import run_script


def main() -> int:
    """Measure and print."""
    from whole_body_tracking.benchmark.run import benchmark

    benchmark(sys.argv[1:])
    return 0


if __name__ == "__main__":
    run_script(main)
