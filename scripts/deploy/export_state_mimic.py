"""Write an exported policy as State_Mimic reads it, the state of Unitree's own runtime that tracks a motion.

Example::

    python scripts/deploy/export_state_mimic.py --policy exported/policy.onnx --output_dir mimic/squat

Only policies of Tracking-Flat-G1-Wo-State-Estimation-v0: that runtime estimates neither position nor velocity.
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script


def main() -> None:
    """Write the files and name them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", type=Path, required=True, metavar="FILE", help="Exported policy.onnx.")
    parser.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="Policy folder to write.")
    parser.add_argument("--motion", metavar="NAME", help="Clip of the policy, if it has several.")
    args = parser.parse_args()
    from whole_body_tracking.deploy.state_mimic import export_state_mimic

    for path in vars(export_state_mimic(args.policy, args.output_dir, args.motion)).values():
        print(f"[INFO] {path}")


if __name__ == "__main__":
    run_script(main)
