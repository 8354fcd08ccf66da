"""Refined clips on disk: what is stored, what is read back, what is refused."""

import numpy as np
import pytest
from refine_samples import squat_part, standing

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.refine.channels import read_joint_targets, save_refined

pytestmark = pytest.mark.unit


@pytest.fixture
def clip():
    return squat_part(30)


@pytest.fixture
def targets(clip):
    return (clip.joint_pos + 0.1).astype(np.float32)


def saved(path, clip, targets):
    residual = np.linspace(0.0, 1.0, clip.num_frames, dtype=np.float32)
    save_refined(path, clip, {"joint_target": targets, "root_residual": residual}, clip, "inverse_dynamics")
    return path


def test_a_refined_clip_is_a_clip_with_channels(tmp_path, clip, targets):
    path = saved(tmp_path / "new" / "refined.npz", clip, targets)
    assert MotionClip.load(path).digest == clip.digest
    assert MotionClip.load(path).source["refinement"]["sha256"] == clip.digest
    with np.load(path) as file:
        assert file["joint_target"].shape == (30, 29) and file["root_residual"].shape == (30,)
    np.testing.assert_array_equal(MotionClip.load(path).channels["joint_target"], targets)
    np.testing.assert_array_equal(read_joint_targets(path, clip), targets)
    assert [file.name for file in path.parent.iterdir()] == ["refined.npz"]


def test_plain_arrays_are_written_and_read(tmp_path, clip, targets):
    path = saved(tmp_path / "targets.npy", clip, targets)
    np.testing.assert_array_equal(np.load(path), targets)
    np.testing.assert_array_equal(read_joint_targets(path, clip), targets)


def test_targets_of_another_clip_are_refused(tmp_path, clip, targets):
    path = saved(tmp_path / "refined.npz", clip, targets)
    with pytest.raises(ValueError, match="refined from squat_part.*not from clip.*Refine clip"):
        read_joint_targets(path, standing(30))


def test_targets_fit_the_clip_and_the_trajectory_that_replaced_it(tmp_path, clip, targets):
    played = standing(30)
    path = tmp_path / "refined.npz"
    save_refined(path, played, {"joint_target": targets}, clip, "sampling")
    np.testing.assert_array_equal(read_joint_targets(path, clip), targets)
    np.testing.assert_array_equal(read_joint_targets(path, MotionClip.load(path)), targets)


def test_a_clip_without_the_channel_is_refused(tmp_path, clip):
    path = clip.save(tmp_path / "plain.npz")
    with pytest.raises(ValueError, match="no channel `joint_target`.*refine_actions.py"):
        read_joint_targets(path, clip)


@pytest.mark.parametrize(
    ("content", "message"),
    [(np.zeros((29, 29)), r"\[29, 29\], expected \[30, 29\]"), (np.full((30, 29), np.nan), "870 .* not finite")],
)
def test_wrong_arrays_are_refused(tmp_path, clip, content, message):
    np.save(tmp_path / "wrong.npy", content)
    with pytest.raises(ValueError, match=message):
        read_joint_targets(tmp_path / "wrong.npy", clip)


def test_files_that_are_no_arrays_are_refused(tmp_path, clip):
    (tmp_path / "text.npy").write_text("not an array")
    with pytest.raises(ValueError, match="not an array"):
        read_joint_targets(tmp_path / "text.npy", clip)
    with pytest.raises(FileNotFoundError, match=r"gone\.npy does not exist"):
        read_joint_targets(tmp_path / "gone.npy", clip)
    with pytest.raises(ValueError, match=r"end in \.npz"):
        saved(tmp_path / "refined.csv", clip, clip.joint_pos)
