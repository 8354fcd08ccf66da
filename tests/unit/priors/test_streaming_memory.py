"""A thousand clips need the memory of ten."""

import os
import subprocess
import sys

import pytest
from prior_samples import swaying_clip

pytestmark = pytest.mark.slow

PROBE = """
import resource, sys
from whole_body_tracking.motion.sources.motion_entries import resolve_entries
from whole_body_tracking.priors.data.windows import MotionWindows, window_loader
from whole_body_tracking.priors.state import StateLayout
from whole_body_tracking.robots import G1
entries = resolve_entries([sys.argv[1]])
windows = MotionWindows(entries, StateLayout.of_robot(G1, 30.0), 65, 0)
count = sum(len(batch) for batch in window_loader(windows, 32))
print(len(entries), count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_memory(folder) -> tuple[int, int]:
    """Number of windows, and the largest memory [kB] of a process that streams a folder."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    found = subprocess.run(
        [sys.executable, "-c", PROBE, str(folder)], env=environment, capture_output=True, text=True, check=True
    )
    _, count, memory = map(int, found.stdout.split())
    return count, memory


def test_memory_grows_by_less_than_a_tenth_from_10_to_1000_files(tmp_path):
    for number in (10, 1000):
        (tmp_path / str(number)).mkdir()
    for index in range(10):
        path = swaying_clip(400, seed=index).save(tmp_path / "10" / f"walk{index}_subject1.npz")
        for copy in range(100):
            os.link(path, tmp_path / "1000" / f"walk{index}_{copy}_subject1.npz")
    (few, small), (many, large) = (peak_memory(tmp_path / str(number)) for number in (10, 1000))
    print(f"{few} windows of 10 files: {small / 1024:.0f} MB; {many} of 1000: {large / 1024:.0f} MB")
    assert many > 90 * few
    assert large < 1.1 * small
