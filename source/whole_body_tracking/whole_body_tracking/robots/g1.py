"""Unitree G1, 29 degrees of freedom, rev 1.0: pure facts, no Isaac Lab."""

from __future__ import annotations

from pathlib import Path

from .model import RobotModel

DATA_DIR = Path(__file__).parent / "data"

G1 = RobotModel.from_file(DATA_DIR / "g1.json")
"""The robot's numbers; sources and licences are in the file's ``_about`` entry."""

G1_USD_PATH = DATA_DIR / "g1.usda"
"""The robot for the simulators, generated from the facts file by ``scripts/build_robot_usd.py``."""

G1_FOUR_POINT_FEET_USD_PATH = DATA_DIR / "g1_four_point_feet.usda"
"""The same robot with four contact spheres per foot instead of seven capsules."""
