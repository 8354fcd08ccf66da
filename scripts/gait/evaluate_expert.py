"""Walk held-out gaits with a trained policy of the gait task: how many survive, at which speed.

Example::

    python scripts/gait/evaluate_expert.py --task Gait-Flat-G1-v0 --gait_model refnn/refnn.npz --checkpoint RUN
    python scripts/gait/evaluate_expert.py --policy RUN/exported/policy.onnx --json plain_mujoco.json

The first walks one gait per environment on the engine of ``physics=NAME``, the second the exported file in plain
MuJoCo. Speeds are 0.2 to 0.8 m/s, cadences 80 to 130 steps per minute, or those of ``--speed LOW HIGH`` and
``--cadence LOW HIGH``; a gait whose forces the ground cannot give is left out. docs/gait.md says what is measured.
"""

import argparse
import sys
from pathlib import Path

from whole_body_tracking.cli import run_script


def main() -> int:
    """Walk, print a table, write."""
    from whole_body_tracking.files import write_json
    from whole_body_tracking.gait_expert.evaluating import evaluate_expert
    from whole_body_tracking.refine.report import require_folder

    writing = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    writing.add_argument("--json", type=Path)
    output = writing.parse_known_args()[0].json
    if output is not None:
        require_folder(output)
    result = evaluate_expert(sys.argv[1:])
    print(f"{'speed':>8}{'cadence':>9}{'survived':>10}{'speed of robot':>16}  ended by")
    for row in result["gaits"]:
        realised = "-" if row["realised_speed"] is None else f"{row['realised_speed']:.2f}"
        ended_by = row.get("ended_by") or ""
        print(f"{row['speed']:>8.2f}{row['cadence']:>9.0f}{row['survived_s']:>8.1f} s{realised:>16}  {ended_by}")
    print(f"On {result['engine']}: " + ", ".join(f"{name} {value:.3g}" for name, value in result["summary"].items()))
    if output is not None:
        write_json(output, result)
    return 0


if __name__ == "__main__":
    run_script(main)
