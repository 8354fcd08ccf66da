"""Compare Isaac Sim on this machine with what OvPhysX did where this project was written: ten minutes, one table.

Examples::

    python scripts/check_isaacsim.py
    python scripts/check_isaacsim.py --viz kit
    python scripts/check_isaacsim.py physics=ovphysx

Loads the robot, replays 2 s of the packaged clip, holds the default pose for 2 s in 64 envs, and prints a line for
each check with what to do where one failed. Exit status 1 if one did. physics=NAME checks another engine; on those that
are not PhysX, states are not compared. docs/isaac_sim.md lists what to look at afterwards.
"""

import sys

from whole_body_tracking.cli import run_script


def main() -> int:
    """Parse, measure, compare, print."""
    from whole_body_tracking.engine_check.checking import check_engine

    return check_engine(sys.argv[1:], description=__doc__)


if __name__ == "__main__":
    run_script(main)
