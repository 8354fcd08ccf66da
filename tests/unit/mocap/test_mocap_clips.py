"""Clips of a mocap folder for the training of priors: retargeted once, and kept."""

import os
import shutil

import pytest

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.priors.data.mocap_clips import retargeted_clips
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit


def test_a_folder_is_retargeted_once_and_a_newer_file_again(walk_bvh, tmp_path):
    shutil.copy(walk_bvh, tmp_path / "walk1_subject1.bvh")
    lines: list[str] = []
    folder = retargeted_clips(tmp_path, G1, 30.0, lines.append)
    clip = folder / "walk1_subject1.npz"
    assert folder.name == "retargeted_g1_30fps" and MotionClip.load(clip).fps == 30.0
    assert lines == ["walk1_subject1.bvh retargeted"]
    retargeted_clips(tmp_path, G1, 30.0, lines.append)
    assert len(lines) == 1
    (tmp_path / "walk1_subject1.bvh").write_text("HIERARCHY")  # damaged since
    os.utime(tmp_path / "walk1_subject1.bvh", (clip.stat().st_mtime + 5,) * 2)
    retargeted_clips(tmp_path, G1, 30.0, lines.append)
    assert "walk1_subject1.bvh" in lines[-1] and "retargeted" not in lines[-1]
