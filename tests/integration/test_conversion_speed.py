"""All of LAFAN1 through the converter, as a user of a whole data set meets it."""

import os
import tarfile
import time
from pathlib import Path

import pytest
import torch

from whole_body_tracking.motion.conversion.batch import ConversionJob, run_conversion

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def all_clips(tmp_path) -> Path:
    folder = Path(os.environ.get("WBT_SHARED_MOTIONS", REPOSITORY.parent / "shared" / "motions"))
    archive = folder / "lafan1_g1_40clips.tar.xz"
    if not archive.is_file():
        pytest.skip("no shared motions; set WBT_SHARED_MOTIONS")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    return next(tmp_path.rglob("walk1_subject1.csv")).parent


def test_lafan1_converts_a_hundred_times_faster_than_real_time(all_clips, tmp_path):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        start = time.process_time()
        job = ConversionJob(input_path=all_clips, input_fps=30, output_dir=tmp_path / "clips")
        results = list(run_conversion(job))
        seconds = time.process_time() - start
    finally:
        torch.set_num_threads(threads)
    assert [result.error for result in results] == [None] * 40
    duration = sum(result.clip.duration for result in results)
    assert duration == pytest.approx(8822, abs=5)
    assert seconds < duration / 100
