"""Policies of the G1 come from the tests of sim2sim and of the controller."""

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parents[1] / "sim2sim"), str(Path(__file__).parents[1] / "deploy")]
