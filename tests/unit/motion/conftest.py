"""Motions that tests of this folder share."""

import os
from pathlib import Path

import pytest
from motion_samples import sway, write_rows

from whole_body_tracking.motion import MotionClip, RawMotion, convert

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def lafan1() -> Path:
    """Folder of real clips, which is not part of the repository."""
    folder = Path(os.environ.get("WBT_SHARED_MOTIONS", REPOSITORY.parent / "shared" / "motions")) / "lafan1"
    if not folder.is_dir():
        pytest.skip("no shared motions; set WBT_SHARED_MOTIONS")
    return folder


@pytest.fixture
def raw() -> RawMotion:
    return sway()


@pytest.fixture(scope="session")
def clip() -> MotionClip:
    return convert(sway(), output_fps=50)


@pytest.fixture
def csv_file(tmp_path, raw) -> Path:
    return write_rows(tmp_path / "sway.csv", raw)
