"""BVH files: what they mean, what two other readers make of them, and what is refused."""

import numpy as np
import pytest
from mocap_samples import shared_mocap, walking_person

from whole_body_tracking.mocap import write_bvh
from whole_body_tracking.mocap.readers.bvh import nearest_rate, read_bvh

pytestmark = pytest.mark.unit

TWO_BONES = """HIERARCHY
ROOT hip
{
  OFFSET 7 8 9
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT knee
  {
    OFFSET 1 0 0
    CHANNELS 3 Zrotation Yrotation Xrotation
    End Site
    {
      OFFSET 0 0 2
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.033333
0 0 0 0 0 0 0 0 0
10 20 30 90 0 0 0 90 90
"""


@pytest.fixture
def written(tmp_path):
    """Write a text, or bytes, as a BVH file."""

    def write(content):
        path = tmp_path / "test.bvh"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_positions_and_order_of_rotations(written):
    """Frame 1: the root turns by Rz(90): knee at (10, 20, 30) + (0, 1, 0).

    The knee's own rotation is Rz(0) Ry(90) Rx(90): its end (0, 0, 2) goes to (0, -2, 0) under Rx(90), stays there under
    Ry(90), and the root's Rz(90) makes it (2, 0, 0). The root's OFFSET (7, 8, 9) is replaced by its channels.
    """
    motion = read_bvh(written(TWO_BONES))
    assert motion.names == ("hip", "knee", "knee_end") and motion.parents == (-1, 0, 1) and motion.fps == 30.0
    pos, _ = motion.joint_poses()
    assert np.allclose(pos[0], [[0, 0, 0], [1, 0, 0], [1, 0, 2]])
    assert np.allclose(pos[1], [[10, 20, 30], [10, 21, 30], [12, 21, 30]])


def test_frame_times_are_rounded_to_whole_rates():
    assert [nearest_rate(time) for time in (0.0083333, 0.033333, 0.01)] == [120.0, 30.0, 100.0]
    assert nearest_rate(0.0337) == pytest.approx(29.67, abs=0.01)


@pytest.mark.parametrize(
    "content",
    [
        TWO_BONES.replace("\n", "\r\n"),
        "\ufeff" + TWO_BONES,
        TWO_BONES.encode("utf-16"),
        TWO_BONES.replace("ROOT hip\n{", "ROOT hip {").replace("\n    {\n      OFFSET 0 0 2", " { OFFSET 0 0 2"),
        TWO_BONES.replace("knee", "knié").encode("latin-1"),
    ],
    ids=["windows", "byte order mark", "utf-16", "braces in line", "latin-1"],
)
def test_what_exporters_do(written, content):
    assert np.allclose(read_bvh(written(content)).joint_poses()[0][1, 2], [12, 21, 30])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (b"\x00\x01HIERARCHY", "zero byte"),
        ("walk\n1 2 3", "expected HIERARCHY"),
        (TWO_BONES.split("MOTION")[0], "without a MOTION section"),
        (TWO_BONES.rsplit("\n", 2)[0] + "\n", "2 frames are announced and 1 are there"),
        (TWO_BONES[:-5], "the frame has 8 numbers, but the joints have 9 channels"),
        (TWO_BONES.replace("90 90", "90 nan"), "line 20, number 9: 'nan' is not a finite number"),
        (TWO_BONES.replace("90 90", "90 x"), "'x' is not a finite number"),
        (TWO_BONES.replace("6 Xposition Yposition Zposition", "3"), "lacks position channels"),
        (
            TWO_BONES.replace("Zrotation Yrotation Xrotation", "").replace("6 X", "3 X").replace("S 3 \n", "S 0\n"),
            "none of the joints has a rotation channel",
        ),
        (TWO_BONES.replace("3 Zrotation", "4 Zrotation"), "announces 4 channels and lists"),
        (TWO_BONES.replace("3 Zrotation", "3 Wrotation"), "expected as many different ones of"),
        (TWO_BONES.replace("    OFFSET 1 0 0\n", ""), "joint 'knee' has no OFFSET"),
        (TWO_BONES.replace("OFFSET 1 0 0", "OFFSET 1 0"), "expected 3 numbers, found 2"),
        (TWO_BONES.replace("  }\n}", "  }"), "1 open braces: it is truncated"),
        (TWO_BONES.replace("JOINT knee", "JOINT hip"), r"share the names \['hip'\]"),
        (TWO_BONES.replace("0.033333", "0"), "frame time is 0 s"),
        (TWO_BONES.replace("Frames: 2", "Frames: 1e99"), "1e\\+99 frames are announced"),
    ],
)
def test_refused(written, content, message):
    with pytest.raises(ValueError, match=message):
        read_bvh(written(content))


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_bvh(tmp_path / "none.bvh")
    with pytest.raises(FileNotFoundError, match="is a folder, not a BVH file"):
        read_bvh(tmp_path)


def test_a_bone_that_stretches_is_warned_of(written):
    moving = TWO_BONES.replace("CHANNELS 3 Z", "CHANNELS 6 Xposition Yposition Zposition Z")
    moving = moving.replace("0 0 0 0 0 0 0 0 0", "0 0 0 0 0 0 1 0 0 0 0 0").replace(
        "90 0 0 0 90 90", "90 0 0 2 0 0 0 90 90"
    )
    with pytest.warns(UserWarning, match="bone to 'knee' changes its length by up to 0.5"):
        motion = read_bvh(written(moving))
    assert np.allclose(motion.offsets[1], [1.5, 0, 0])  # the median of 1 and 2


def test_writing_and_reading_again(tmp_path):
    motion = walking_person(seconds=0.2)
    again = read_bvh(write_bvh(motion, tmp_path / "walk.bvh"))
    kept = [again.index(name) for name in motion.names]
    assert float((again.joint_poses()[0][:, kept] - motion.joint_poses()[0]).abs().max()) < 1e-4  # [cm]: 1e-6 m
    with pytest.raises(ValueError, match="should end in .bvh"):
        write_bvh(motion, tmp_path / "walk.txt")


REAL = {
    "cmu_01_01.bvh": 0.0564,
    "games105_walk_forward.bvh": 1.0,
    "lafan1_dance1_subject2_excerpt.bvh": 0.01,
    "xia_neutral_01_000.bvh": 0.0564,
}
"""Sources, and metres of their unit."""


@pytest.fixture
def excerpt(written):
    """The first 60 frames of a real file at most: the other readers are slow."""

    def cut(name):
        lines = (shared_mocap() / name).read_text().splitlines()
        start = lines.index("MOTION")
        rows = lines[start + 3 :][:60]
        return written("\n".join([*lines[: start + 1], f"Frames: {len(rows)}", lines[start + 2], *rows]))

    return cut


@pytest.mark.parametrize(("name", "meters"), REAL.items())
def test_agrees_with_pymotion(excerpt, name, meters):
    io, skeleton = pytest.importorskip("pymotion.io.bvh"), pytest.importorskip("pymotion.ops.skeleton")
    path, other = excerpt(name), io.BVH()
    other.load(str(path))
    rotations, positions, parents, offsets, *_ = other.get_data()
    expected, _ = skeleton.fk(rotations, positions[:, 0], offsets, parents)
    motion = read_bvh(path)
    found = motion.joint_poses()[0][:, [motion.index(str(joint)) for joint in other.data["names"]]]
    assert np.abs(found.numpy() - expected).max() * meters < 1e-6


@pytest.mark.parametrize(("name", "meters"), REAL.items())
def test_agrees_with_bvhio(excerpt, name, meters):
    bvhio = pytest.importorskip("bvhio")
    path = excerpt(name)
    root, motion = bvhio.readAsHierarchy(str(path)), read_bvh(path)
    pos, _ = motion.joint_poses()
    for frame in (0, motion.num_frames - 1):
        root.loadPose(frame, recursive=True)
        for joint, _, _ in root.layout():
            found = pos[frame, motion.index(joint.Name)].numpy()
            assert np.abs(found - np.array(joint.PositionWorld)).max() * meters < 1e-6  # it computes in float32
