"""Write the robot's USD files from its facts, or check that the shipped ones are up to date."""

from __future__ import annotations

import argparse
import sys

from whole_body_tracking.robots.build_usd import build_usd
from whole_body_tracking.robots.g1 import G1, G1_FOUR_POINT_FEET_USD_PATH, G1_USD_PATH


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a shipped file is out of date")
    check = parser.parse_args().check
    outdated = []
    for path, four_point_feet in ((G1_USD_PATH, False), (G1_FOUR_POINT_FEET_USD_PATH, True)):
        text = build_usd(G1, four_point_feet)
        if not check:
            path.write_text(text)
            print(f"Wrote {path.name} ({len(text) // 1024} kB).")
        elif not path.exists() or path.read_text() != text:
            outdated.append(path.name)
    if outdated:
        print(f"Out of date: {outdated}. Run scripts/build_robot_usd.py and commit the result.", file=sys.stderr)
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main())
