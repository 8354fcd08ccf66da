"""Policies of the G1 come from the tests of sim2sim."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "sim2sim"))
