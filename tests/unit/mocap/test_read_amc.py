"""ASF/AMC files: what they mean by hand, against matrices written out here, and what is refused."""

import numpy as np
import pytest
from mocap_samples import shared_mocap
from scipy.spatial.transform import Rotation

from whole_body_tracking.mocap import read_mocap, write_bvh
from whole_body_tracking.mocap.readers.amc import read_amc
from whole_body_tracking.mocap.readers.asf import read_asf
from whole_body_tracking.mocap.readers.bvh import read_bvh

pytestmark = pytest.mark.unit

ASF = """:version 1.10
:units
  length 0.45
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name femur
    direction 0 -1 0
    length 2
    axis 0 0 90 XYZ
    dof rx
    limits (-160 20)
  end
  begin
    name tibia
    direction 0 -1 0
    length 3
    axis 0 0 0 XYZ
  end
:hierarchy
  begin
    root femur
    femur tibia
  end
"""
AMC = """#!OML:ASF
:FULLY-SPECIFIED
:DEGREES
1
root 1 2 3 0 0 0
femur 0
2
root 1 2 3 0 0 90
femur 90
"""


@pytest.fixture
def pair(tmp_path):
    """Write a skeleton and a motion; returns both paths."""

    def write(asf=ASF, amc=AMC):
        (tmp_path / "7.asf").write_text(asf)
        (tmp_path / "7_01.amc").write_text(amc)
        return tmp_path / "7_01.amc", tmp_path / "7.asf"

    return write


def test_axes_of_a_bone(pair):
    """Frame 1: C = Rz(90) takes x to y, so rx turns the femur about y: C Rx(90) C^-1 = Ry(90), which leaves (0, -2, 0).

    The root's Rz(90) then takes (0, -2, 0) to (2, 0, 0): the tibia starts at (1, 2, 3) + (2, 0, 0), and ends 3 further.
    """
    motion = read_amc(*pair())
    assert motion.names == ("root", "femur", "tibia", "tibia_end") and motion.fps == 120.0
    pos, quat = motion.joint_poses()
    assert np.allclose(pos[0], [[1, 2, 3], [1, 2, 3], [1, 0, 3], [1, -3, 3]])
    assert np.allclose(pos[1], [[1, 2, 3], [1, 2, 3], [3, 2, 3], [6, 2, 3]])
    expected = (Rotation.from_euler("z", 90, degrees=True) * Rotation.from_euler("y", 90, degrees=True)).as_matrix()
    assert np.allclose(Rotation.from_quat(quat[1, 1].numpy()).as_matrix(), expected)


def test_radians(pair):
    motion = read_amc(*pair(amc=AMC.replace(":DEGREES", ":RADIANS").replace("90", "1.5707963267948966")))
    assert np.allclose(motion.joint_poses()[0][1, 3], [6, 2, 3])


def test_real_pair_against_matrices():
    """Positions by 4x4 matrices from the files' text, without the reader."""
    folder = shared_mocap()
    motion, asf = read_amc(folder / "11_01.amc", folder / "11.asf"), read_asf(folder / "11.asf")
    pos, _ = motion.joint_poses()
    lines = [line.split() for line in (folder / "11_01.amc").read_text().splitlines()]
    start = lines.index(["300"]) + 1
    values = {words[0]: np.array(words[1:], dtype=float) for words in lines[start : lines.index(["301"])]}

    def turn(angles):
        x, y, z = (Rotation.from_euler(a, v, degrees=True).as_matrix() for a, v in zip("xyz", angles, strict=True))
        return z @ y @ x

    poses = {"root": (turn(values["root"][3:]), values["root"][:3])}
    for name, parent in asf.parents.items():
        bone, angles = asf.bones[name], np.zeros(3)
        for channel, value in zip(bone.dof, values.get(name, ()), strict=True):
            angles["xyz".index(channel[1])] = value
        axis = bone.axis.as_matrix()
        rotation = poses[parent][0] @ axis @ turn(angles) @ axis.T
        assert np.abs(pos[299, motion.index(name)].numpy() - poses[parent][1]).max() < 1e-5, name  # [0.056 m]
        poses[name] = (rotation, poses[parent][1] + rotation @ (bone.direction * bone.length))


def test_to_bvh_and_back(tmp_path):
    """The BVH of an ASF/AMC pair has the joints at the same places, to 1e-6 m."""
    folder = shared_mocap()
    file = read_mocap(folder / "11_01.amc")
    again = read_bvh(write_bvh(file.motion, tmp_path / "11_01.bvh"))
    assert set(again.names) == set(file.motion.names) and again.fps == 120.0
    order = [again.index(name) for name in file.motion.names]
    assert float((again.joint_poses()[0][:, order] - file.motion.joint_poses()[0]).abs().max()) < 1e-6


@pytest.mark.parametrize(
    ("asf", "amc", "message"),
    [
        (ASF.replace(":hierarchy", ":tree"), AMC, r"lacks the sections \[':hierarchy'\]"),
        (ASF.replace("femur tibia", "femur shin"), AMC, r"unknown bones \['shin'\]"),
        (ASF.replace("    femur tibia\n", ""), AMC, r"bones \['tibia'\] are not below the root"),
        (ASF.replace("length 2", "length -2"), AMC, "length of bone 'femur' is -2"),
        (ASF.replace("dof rx", "dof rx rx"), AMC, "expected different ones of rx, ry, rz"),
        (ASF.replace("order TX TY TZ RX RY RZ", "order TX TY"), AMC, "expected the six of"),
        (ASF.split("    name tibia")[0], AMC, "lacks the sections|truncated"),
        (ASF, AMC.replace("femur 90", "femur 90 1"), "bone 'femur': expected 1 numbers, found 2"),
        (ASF, AMC.replace("femur 90", ""), r"frame 2 lacks the bones \['femur'\]"),
        (ASF, AMC.replace("femur 0", "tail 0"), "has no channels of bone 'tail'"),
        (ASF, AMC.replace("\n2\n", "\n5\n"), "frame 5 follows frame 1"),
        (ASF, AMC.split("2\nroot")[0], "holds 1 frames, expected at least 2"),
        (ASF, "root 0 0 0 0 0 0", "before the number of the first frame"),
    ],
)
def test_refused(pair, asf, amc, message):
    with pytest.raises(ValueError, match=message):
        read_amc(*pair(asf, amc))


def test_motion_without_its_skeleton(pair):
    amc, asf = pair()
    asf.unlink()
    with pytest.raises(FileNotFoundError, match=r"needs its skeleton, and neither 7_01.asf nor 7.asf.*--skeleton"):
        read_mocap(amc)
    with pytest.raises(ValueError, match="unknown kind of file"):
        read_mocap(amc.with_suffix(".fbx"))
