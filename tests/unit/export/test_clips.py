"""Clips beside a policy that does not hold them: complete, checked, and named when missing or changed."""

import dataclasses
import errno
import os

import numpy as np
import pytest
from policies import make_actor, make_clip, make_spec

from whole_body_tracking.export import ClipReference, PolicySpec, export_onnx, load_policy
from whole_body_tracking.export.clips import write_clips
from whole_body_tracking.motion.sources.motion_entries import MotionEntry

pytestmark = pytest.mark.unit


@pytest.fixture
def entries(tmp_path) -> list[MotionEntry]:
    """A whole file, and a part of another."""
    wave = make_clip(seed=0).save(tmp_path / "source" / "wave.npz")
    bow = make_clip(seed=1).save(tmp_path / "source" / "low bow.npz")
    return [MotionEntry(wave), MotionEntry(bow, frame_range=(11, 50))]


@pytest.fixture
def exported(tmp_path, entries):
    """Folder of a policy of both."""
    clips = [entry.load() for entry in entries]
    references = tuple(ClipReference(clip.name, clip.digest, clip.num_frames) for clip in clips)
    spec = make_spec(reference_in_graph=False, clips=references, clips_folder="clips")
    folder = tmp_path / "exported"
    folder.mkdir()
    write_clips(folder, spec, entries)
    export_onnx(make_actor(), spec, None, folder / "policy.onnx")
    return folder


def test_the_clips_are_those_of_the_training(exported, entries):
    policy = load_policy(exported / "policy.onnx")
    assert sorted(path.name for path in exported.iterdir()) == ["clips", "policy.onnx"]
    assert len(list((exported / "clips").iterdir())) == 2
    for entry in entries:
        clip, expected = policy.clip(entry.name), entry.load()
        assert clip.name == entry.name and clip.digest == expected.digest
        np.testing.assert_array_equal(clip.joint_vel, expected.joint_vel)


def test_channels_travel_with_the_clips(tmp_path):
    """In a whole file and in a part; the part's frame 0 is frame 10 of the whole."""
    whole = dataclasses.replace(make_clip(seed=0), channels={"root_residual": np.arange(make_clip(seed=0).num_frames)})
    path = whole.save(tmp_path / "source" / "wave.npz")
    for entry, first in ((MotionEntry(path), 0.0), (MotionEntry(path, frame_range=(11, 50)), 10.0)):
        clip = entry.load()
        spec = make_spec(clips=(ClipReference(clip.name, clip.digest, clip.num_frames),), clips_folder="clips")
        write_clips(tmp_path, spec, [entry])
        with np.load(tmp_path / "clips" / spec.clips[0].file_name) as file:
            assert file["root_residual"][0] == first and len(file["root_residual"]) == clip.num_frames


def test_the_spec_says_where_they_are(exported):
    spec = load_policy(exported / "policy.onnx").spec
    assert PolicySpec.from_json(spec.to_json()) == spec
    assert {path.name for path in (exported / spec.clips_folder).iterdir()} == {c.file_name for c in spec.clips}


def test_a_whole_file_takes_no_space_twice(exported, entries):
    spec = load_policy(exported / "policy.onnx").spec
    assert os.path.samefile(entries[0].path, exported / "clips" / spec.clips[0].file_name)


def test_a_file_system_without_links_gets_a_copy(tmp_path, entries, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EXDEV, "another device")

    monkeypatch.setattr(os, "link", refuse)
    clip = entries[0].load()
    spec = make_spec(clips=(ClipReference(clip.name, clip.digest, clip.num_frames),), clips_folder="clips")
    write_clips(tmp_path, spec, entries[:1])
    copy = tmp_path / "clips" / spec.clips[0].file_name
    assert copy.is_file() and not os.path.samefile(entries[0].path, copy)


def test_a_second_export_leaves_them_alone(exported, entries):
    spec = load_policy(exported / "policy.onnx").spec
    before = {path: path.stat().st_mtime_ns for path in (exported / "clips").iterdir()}
    for entry in entries:
        entry.path.unlink()
    write_clips(exported, spec, entries)
    assert {path: path.stat().st_mtime_ns for path in (exported / "clips").iterdir()} == before


def test_a_missing_clip_is_named(exported):
    next((exported / "clips").glob("low_bow_11-50-*")).unlink()
    with pytest.raises(FileNotFoundError, match=r"clip 'low bow_11-50' is missing.*Copy the folder clips/"):
        load_policy(exported / "policy.onnx")
    policy = load_policy(exported / "policy.onnx", needs_clips=False)
    assert policy.clip("wave").num_frames == 60


def test_a_changed_clip_is_named(exported):
    path = next((exported / "clips").glob("wave-*"))
    path.unlink()
    dataclasses.replace(make_clip(seed=7), name="wave").save(path)
    with pytest.raises(ValueError, match=r"is not the clip 'wave' that the policy was exported with"):
        load_policy(exported / "policy.onnx").clip("wave")


def test_a_policy_that_left_its_clips_out_says_so(tmp_path, entries):
    clips = tuple(ClipReference(clip.name, clip.digest, clip.num_frames) for clip in (e.load() for e in entries))
    spec = make_spec(reference_in_graph=False, clips=clips)
    write_clips(tmp_path, spec, entries)
    path = export_onnx(make_actor(), spec, None, tmp_path / "policy.onnx")
    assert not (tmp_path / "clips").exists()
    with pytest.raises(ValueError, match=r"without the files of its clips. Load 'wave' \(SHA-256 .*--no_clips"):
        load_policy(path).clip("wave")


def test_an_unknown_clip_is_refused_with_those_known(exported):
    with pytest.raises(ValueError, match=r"without a clip 'run'. It has: \['wave', 'low bow_11-50'\]"):
        load_policy(exported / "policy.onnx").clip("run")


def test_a_source_that_changed_since_is_refused(tmp_path, entries, exported):
    spec = load_policy(exported / "policy.onnx").spec
    make_clip(seed=9).save(entries[0].path)
    (tmp_path / "new").mkdir()
    with pytest.raises(ValueError, match=r"wave.npz is not the clip 'wave'"):
        write_clips(tmp_path / "new", spec, entries)
    assert list((tmp_path / "new" / "clips").iterdir()) == []
