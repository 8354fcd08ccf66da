"""The peer: its clip, and the message where it is not installed."""

import sys
from pathlib import Path

import numpy as np
import pytest

from whole_body_tracking.benchmark.peer import require_peer, write_mjlab_clip
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip

pytestmark = pytest.mark.unit


def test_the_peer_reads_the_same_motion(tmp_path):
    write_mjlab_clip(tmp_path / "clip.npz")
    ours, theirs = MotionClip.load(DEFAULT_MOTION_FILE), MotionClip.load(tmp_path / "clip.npz", layout="mjlab")
    assert theirs.joint_names == ours.joint_names and theirs.body_names == ours.body_names
    # A foreign file's bodies are computed from its joints.
    np.testing.assert_allclose(theirs.body_pos_w, ours.body_pos_w, atol=1e-6)
    np.testing.assert_allclose(theirs.body_quat_w, ours.body_quat_w, atol=1e-6)


def test_a_python_without_the_peer_is_named():
    with pytest.raises(ChildProcessError, match=r"cannot find the module mjlab.*--peer_python"):
        require_peer(Path(sys.executable))
