"""Replay clips on the robot of an engine and say how far its bodies are from where the clips have them.

Examples::

    python scripts/replay_npz.py --motion_file walk.npz
    python scripts/replay_npz.py --motion_file walk.npz --headless physics=ovphysx
    python scripts/replay_npz.py --motion_file walk.npz --html walk.html
    python scripts/replay_npz.py --motion_file walk.npz --video walk.mp4

Without a flag the motion plays in a browser, in a loop, until Ctrl+C. --headless plays it through once; --html FILE
does the same and writes a page that opens offline, --video FILE an MP4. --viz NAME shows it in one of Isaac Lab's
viewers instead: newton, rerun, viser, or, where Isaac Sim is installed, kit (by Isaac Lab's documentation; not tried by
this project). Tokens of the form key=value are Isaac Lab overrides, such as physics=newton_mjwarp.
"""

import sys

from whole_body_tracking.cli import run_script


def main() -> int:
    """Parse, replay, print the largest differences."""
    from whole_body_tracking.replaying import replay

    replay(sys.argv[1:], description=__doc__)
    return 0


if __name__ == "__main__":
    run_script(main)
