"""The USD file of a robot that ships none: generated from its facts once, and kept."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from whole_body_tracking.files import write_atomically

from .facts_check import check_facts
from .model import RobotModel


def usd_file(robot: RobotModel, four_point_feet: bool = False) -> Path:
    """Path of the robot's USD, written on first use.

    It lies in ``$WBT_CACHE_DIR/robots``, or ``~/.cache/whole_body_tracking/robots``. The name holds a digest of the
    facts and of the builder, so a change of either gives another file.

    Args:
        robot: The facts.
        four_point_feet: Give each foot small spheres as colliders, see :func:`.build_usd.build_usd`.

    Raises:
        ValueError: If the facts do not fit together.
    """
    check_facts(robot.facts)
    builder = Path(__file__).with_name("build_usd.py").read_text()
    content = json.dumps([robot.facts, four_point_feet, builder], sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()[:12]
    folder = Path(os.environ.get("WBT_CACHE_DIR", Path.home() / ".cache" / "whole_body_tracking")) / "robots"
    path = folder / f"{robot.name}-{digest}.usda"
    if not path.exists():
        from .build_usd import build_usd

        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, build_usd(robot, four_point_feet))
    return path
