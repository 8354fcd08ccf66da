"""Many clips reach the library with one read per file, and the task is checked by headers alone."""

import dataclasses
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip, MotionLibrary, npz
from whole_body_tracking.motion.clip_check import ARRAYS
from whole_body_tracking.motion.clip_header import load_header
from whole_body_tracking.robots import G1
from whole_body_tracking.tasks.tracking.mdp.reference.motion_loading import load_headers, load_motions, make_library

pytestmark = pytest.mark.unit

NUM_CLIPS = 200
BODIES = ("pelvis", "torso_link")


def pieces(clip: MotionClip, lengths: list[int], folder: Path) -> Path:
    """Beginnings of a clip as files of their own, called 000.npz and so on."""
    folder.mkdir()
    for number, length in enumerate(lengths):
        part = {key: getattr(clip, key)[:length] + 0.0 for key in ARRAYS}
        part["joint_pos"][:, 0] = number
        dataclasses.replace(clip, **part).save(folder / f"{number:03d}.npz")
    return folder


@pytest.fixture(scope="module")
def squat() -> MotionClip:
    return MotionClip.load(DEFAULT_MOTION_FILE)


@pytest.fixture(scope="module")
def folder(squat, tmp_path_factory) -> Path:
    """200 clips of 3 to 12 frames."""
    lengths = [3 + number % 10 for number in range(NUM_CLIPS)]
    return pieces(squat, lengths, tmp_path_factory.mktemp("clips") / "many")


@pytest.fixture
def reads(monkeypatch) -> dict[str, list[str]]:
    """Names of the files of which all arrays, and of which only headers were read."""
    found = {"frames": [], "headers": []}

    def counted(kind: str, read):
        def reading(path: Path, *args):
            found[kind].append(path.name)
            return read(path, *args)

        return reading

    monkeypatch.setattr("whole_body_tracking.motion.clip.read_arrays", counted("frames", npz.read_arrays))
    monkeypatch.setattr("whole_body_tracking.motion.clip_header.read_shapes", counted("headers", npz.read_shapes))
    return found


@pytest.mark.parametrize("storage", ["full", "compact"])
def test_every_file_is_read_once(folder, reads, storage):
    motions = load_motions([str(folder)], 50.0, None, [1.0], "g1")
    assert len(reads["headers"]) == NUM_CLIPS and reads["frames"] == []
    library = make_library(motions, storage, G1.joint_names, BODIES, "cpu")
    assert reads["frames"] == [f"{number:03d}.npz" for number in range(NUM_CLIPS)]
    assert library.num_clips == NUM_CLIPS and library.num_frames.tolist() == [3 + n % 10 for n in range(NUM_CLIPS)]
    clips = torch.arange(NUM_CLIPS)
    assert library.state_at(clips, library.last_frames).joint_pos[:, 0].tolist() == list(range(NUM_CLIPS))


def test_copies_at_other_speeds_cost_no_further_read(folder, reads):
    motions = load_motions([str(folder / "009.npz"), str(folder / "019.npz")], 50.0, None, [0.5, 1.0], "g1")
    library = make_library(motions, "full", G1.joint_names, BODIES, "cpu")
    assert reads["frames"] == ["009.npz", "019.npz"]
    assert library.names == ("009-x0.5", "009", "019-x0.5", "019")
    assert library.num_frames.tolist() == [23, 12, 23, 12]  # 11 steps of 12 frames take 22 steps at half the speed
    assert [entry.path.name for entry in motions.entries] == ["009.npz", "009.npz", "019.npz", "019.npz"]


def test_a_streamed_library_is_the_one_of_loaded_clips(folder):
    motions = load_motions([str(folder)], 50.0, None, [1.0], "g1")
    streamed = make_library(motions, "full", G1.joint_names, BODIES, "cpu")
    loaded = MotionLibrary.from_clips(list(motions), G1.joint_names, BODIES)
    assert torch.equal(streamed.table, loaded.table)
    assert (streamed.names, streamed.digests, streamed.fps) == (loaded.names, loaded.digests, loaded.fps)


def test_only_one_clip_is_in_memory_beside_the_table(squat, tmp_path):
    """The table holds 2 of 30 bodies. All clips at once would take more than ten times its memory."""
    folder = pieces(squat, [151] * 40, tmp_path / "long")
    motions = load_motions([str(folder)], 50.0, None, [1.0], "g1")
    one_clip = sum(getattr(squat, key).nbytes for key in ARRAYS)
    tracemalloc.start()  # numpy's arrays; torch's table is not in it
    make_library(motions, "full", G1.joint_names, BODIES, "cpu")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * one_clip < 40 * one_clip


def test_a_header_is_what_the_clip_says(folder):
    clip, header = MotionClip.load(folder / "004.npz"), load_header(folder / "004.npz")
    for field in dataclasses.fields(header):
        assert getattr(header, field.name) == getattr(clip, field.name), field.name
    assert header.duration == clip.duration


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"joint_vel": np.zeros((5, 29), np.float32)}, r"joint_vel has shape \[5, 29\], expected \[3, 29\]"),
        ({"joint_names": np.array(["a"] * 29)}, "joint_names holds a name twice"),
        ({"joint_names": None}, "has no joint_names"),
        ({"body_quat_w": None}, r"lacks \['body_quat_w'\]"),
        ({"quat_order": np.array("wxyz")}, "says quat_order 'wxyz', expected 'xyzw'"),
        ({"fps": np.array(0.0)}, "fps is 0.0, expected a positive number"),
        ({"body_names": np.array([None] * 30)}, "holds pickled Python objects"),
        ({"joint_pos": np.array([None] * 3)}, "holds pickled Python objects"),
    ],
)
def test_a_wrong_header_is_refused_as_the_clip_would_be(folder, tmp_path, changes, message):
    with np.load(folder / "000.npz") as file:
        arrays = {key: file[key] for key in file.files} | changes
    np.savez(tmp_path / "wrong.npz", **{key: value for key, value in arrays.items() if value is not None})
    for load in (load_header, MotionClip.load):
        with pytest.raises(ValueError, match=message):
            load(tmp_path / "wrong.npz")


def test_a_truncated_file_is_refused_by_its_header(folder, tmp_path):
    content = (folder / "000.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="cut.npz is truncated"):
        load_headers([str(tmp_path / "cut.npz")], 50.0)


def test_a_clip_that_changes_between_header_and_frames_is_refused(squat, tmp_path):
    folder = pieces(squat, [5, 6], tmp_path / "changing")
    motions = load_motions([str(folder)], 50.0, None, [1.0], "g1")
    MotionClip.load(folder / "001.npz").save(folder / "000.npz")
    with pytest.raises(ValueError, match="000 has 6 frames, but 5 of 000 were announced"):
        make_library(motions, "full", G1.joint_names, BODIES, "cpu")


def test_channels_reach_the_library_and_headers_know_them(squat, tmp_path):
    """One clip has two channels and one has none; at twice the speed forces do not hold."""
    flags, forces = np.ones((5, 2), np.float32), np.ones((5, 2, 3), np.float32)
    folder = pieces(squat, [5, 5], tmp_path / "channels")
    clip = MotionClip.load(folder / "000.npz")
    clip = dataclasses.replace(clip, channels={"contact_flags": flags, "contact_forces": forces})
    clip.save(folder / "000.npz")
    assert load_header(folder / "000.npz").channel_declarations == clip.channel_declarations
    motions = load_motions([str(folder)], 50.0, None, [2.0, 1.0], "g1")
    assert [set(h.channel_declarations) for h in motions.headers] == [
        {"contact_flags"},
        set(clip.channels),
        set(),
        set(),
    ]
    library = make_library(motions, "full", G1.joint_names, BODIES, "cpu", ["contact_flags"])
    assert library.channels["contact_flags"].missing == ("001-x2", "001")
    assert library.channels["contact_flags"].values[:, 0].tolist() == [1.0] * 8 + [0.0] * 8  # 3 and 5 frames, twice
