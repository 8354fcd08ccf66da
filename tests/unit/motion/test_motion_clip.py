"""The clip file: what is written is read back, and what is not a clip is refused."""

import dataclasses
import json
import pickle

import numpy as np
import pytest

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.clip import ARRAYS
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit


def rewrite(path, **changes):
    """Save a clip file's content again with other arrays; None drops one."""
    content = dict(np.load(path)) | changes
    np.savez(path, **{key: value for key, value in content.items() if value is not None})
    return path


@pytest.fixture
def file(clip, tmp_path):
    return clip.save(tmp_path / "sway.npz")


def test_a_saved_clip_is_read_back(clip, file):
    read = MotionClip.load(file)
    for key in ARRAYS:
        np.testing.assert_array_equal(getattr(read, key), getattr(clip, key))
        assert getattr(read, key).dtype == np.float32
    assert (read.fps, read.joint_names, read.body_names) == (clip.fps, clip.joint_names, clip.body_names)
    assert read.source == clip.source and read.name == "sway" and read.digest == clip.digest


def test_the_file_holds_what_the_format_says(clip, file):
    content = dict(np.load(file, allow_pickle=False))
    assert set(content) == {*ARRAYS, "format_version", "fps", "joint_names", "body_names", "quat_order", "source"}
    assert int(content["format_version"]) == 1 and str(content["quat_order"]) == "xyzw"
    assert content["joint_pos"].shape == (51, 29) and content["body_quat_w"].shape == (51, 30, 4)
    assert json.loads(str(content["source"])) == clip.source


def test_two_saves_are_identical(clip, file, tmp_path):
    assert clip.save(tmp_path / "again.npz").read_bytes() == file.read_bytes()


def test_digest_changes_with_the_motion(clip):
    moved = dataclasses.replace(clip, body_pos_w=clip.body_pos_w + 1e-3)
    assert moved.digest != clip.digest


def test_failed_save_keeps_the_old_file(clip, file, monkeypatch):
    before = file.read_bytes()

    def full_disk(handle, *_, **__):
        handle.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full_disk)
    with pytest.raises(OSError, match="No space"):
        clip.save(file)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["sway.npz"]


def test_other_suffix_is_refused(clip, tmp_path):
    with pytest.raises(ValueError, match=r"walk.npy should end in \.npz"):
        clip.save(tmp_path / "walk.npy")


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="walk.npz does not exist"):
        MotionClip.load(tmp_path / "walk.npz")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.999])
def test_truncated_file(file, share):
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="sway.npz is truncated"):
        MotionClip.load(file)


def test_damaged_content(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(ValueError, match="truncated or damaged"):
        MotionClip.load(file)


def test_empty_and_foreign_files(tmp_path):
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "text.npz").write_text("0.1, 0.2")
    for name in ("empty.npz", "text.npz"):
        with pytest.raises(ValueError, match=f"{name} is not an NPZ file"):
            MotionClip.load(tmp_path / name)


class Bomb:
    """Unpickling this would leave a trace."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_pickled_objects_are_refused_and_not_run(file, tmp_path):
    trace = tmp_path / "trace"
    rewrite(file, joint_names=np.array([Bomb(trace)], dtype=object))
    with pytest.raises(ValueError, match="holds pickled Python objects.*refused"):
        MotionClip.load(file)
    (tmp_path / "raw.npz").write_bytes(pickle.dumps(Bomb(trace)))
    with pytest.raises(ValueError, match="not an NPZ file"):
        MotionClip.load(tmp_path / "raw.npz")
    assert not trace.exists()


def test_nameless_file_is_refused_naming_the_flag(file):
    rewrite(file, joint_names=None, body_names=None)
    with pytest.raises(ValueError, match=r"no joint_names and body_names.*--layout beyondmimic.*--layout mjlab"):
        MotionClip.load(file)


@pytest.mark.parametrize("key", ["fps", *ARRAYS])
def test_missing_arrays(file, key):
    with pytest.raises(ValueError, match=rf"sway.npz is not a motion clip: it lacks \['{key}'\]"):
        MotionClip.load(rewrite(file, **{key: None}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quat_order": np.array("wxyz")}, "says quat_order 'wxyz', expected 'xyzw'"),
        ({"quat_order": None}, "says quat_order '', expected 'xyzw'"),
        ({"format_version": np.array(9)}, "has clip format 9, but this version of the package reads up to 1"),
        ({"fps": np.array([50.0, 50.0])}, r"fps has shape \[2\], expected 0 dimensions"),
        ({"joint_names": np.array("hip")}, r"joint_names has shape \[\], expected 1 dimensions"),
        ({"joint_pos": np.full((51, 29), "text")}, "could not convert string to float"),
        ({"source": np.array("no json")}, "sway.npz: Expecting value"),
        ({"fps": np.array(0.0)}, "fps is 0.0, expected a positive number"),
        ({"joint_pos": np.zeros((51, 28))}, r"joint_pos has shape \[51, 28\], expected \[51, 29\]"),
        ({"joint_vel": np.zeros((50, 29))}, r"joint_vel has shape \[50, 29\], expected \[51, 29\]"),
        ({"body_quat_w": np.ones((51, 30, 3))}, r"body_quat_w has shape \[51, 30, 3\], expected \[51, 30, 4\]"),
        ({"body_quat_w": np.ones((51, 30, 4))}, "body_quat_w is not unit: norm 2 in frame 0, body pelvis"),
        ({"body_pos_w": np.full((51, 30, 3), np.nan)}, "body_pos_w holds 4590 values that are not finite.*frame 0"),
        ({"joint_names": np.array(["hip"] * 29)}, r"joint_names holds a name twice: \['hip'\]"),
    ],
)
def test_bad_content(file, changes, message):
    with pytest.raises(ValueError, match=message):
        MotionClip.load(rewrite(file, **changes))


def test_one_frame_is_refused(clip):
    with pytest.raises(ValueError, match=r"1 frame\(s\), expected at least 2"):
        dataclasses.replace(clip, **{key: getattr(clip, key)[:1] for key in ARRAYS})


def test_misspelt_body_is_refused_with_the_stored_names(clip):
    with pytest.raises(ValueError, match=r"bodies \['left_wrist_yaw'\].*Stored: .*'left_wrist_yaw_link'"):
        clip.body_indices(["pelvis", "left_wrist_yaw"])
    assert clip.body_indices(["torso_link", "pelvis"]) == [clip.body_names.index("torso_link"), 0]


def test_another_rate_is_refused_saying_how_to_convert(clip):
    clip.require_fps(50.0)
    clip.require_fps(1.0 / 0.02)
    with pytest.raises(ValueError, match=r"50 fps, but .* 25 Hz.*0\.5 times its speed.*--output_fps 25"):
        clip.require_fps(25.0)


def test_clip_of_another_robot_is_refused(clip):
    clip.require_robot(G1)
    h1 = dataclasses.replace(clip, body_names=tuple(f"h1_{name}" for name in clip.body_names), name="h1_walk")
    with pytest.raises(
        ValueError, match=r"h1_walk is not a clip of g1: it lacks the bodies \['pelvis'.*Stored: \['h1_"
    ):
        h1.require_robot(G1)
