"""Upload a clip to the Weights & Biases registry.

Example::

    python scripts/upload_npz.py --input_file walk.npz --entity ORG --project wandb-registry-motions
"""

import argparse
from pathlib import Path

from whole_body_tracking.cli import run_script


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input_file", type=Path, required=True, metavar="FILE", help="Clip made by csv_to_npz.py.")
    parser.add_argument("--entity", help="W&B organization or team; your default one if left out.")
    parser.add_argument("--project", default="wandb-registry-motions", help="W&B registry (%(default)s).")
    parser.add_argument("--name", help="Name in the registry; the file's name if left out.")
    return parser.parse_args(argv)


def main() -> None:
    """Check the clip, upload it, print its registry name."""
    args = parse_args()
    from whole_body_tracking.motion.sources.registry import upload_clip

    print(upload_clip(args.input_file, args.entity, args.project, args.name or args.input_file.stem))


if __name__ == "__main__":
    run_script(main)
