"""Units, axes and skeletons told from the body that moves, and calibration frames left out."""

import dataclasses

import pytest
from mocap_samples import BONES, walking_person
from scipy.spatial.transform import Rotation

from whole_body_tracking.mocap import read_mocap, write_bvh
from whole_body_tracking.mocap.correspondence import PACKAGED, TABLE_DIR, choose_table, read_table
from whole_body_tracking.mocap.units import UNITS

pytestmark = pytest.mark.unit


def scaled(motion, factor):
    return dataclasses.replace(motion, offsets=motion.offsets * factor, root_pos=motion.root_pos * factor)


@pytest.mark.parametrize("unit", UNITS)
def test_unit_is_told_from_the_legs(tmp_path, unit):
    motion = scaled(walking_person(0.1), 0.01 / UNITS[unit])
    file = read_mocap(write_bvh(motion, tmp_path / "walk.bvh"))
    assert file.unit == unit and file.leg_length == pytest.approx(0.83, abs=1e-4)  # 42 + 41 cm


def test_impossible_unit_is_refused(tmp_path):
    path = write_bvh(scaled(walking_person(0.1), 0.05), tmp_path / "walk.bvh")  # legs of 4.15
    with pytest.raises(ValueError, match=r"unit cannot be told: thigh and shank measure 4.15.*--unit 0.01"):
        read_mocap(path)
    assert read_mocap(path, unit="0.2").leg_length == pytest.approx(0.83, abs=1e-4)
    with pytest.raises(ValueError, match="Unknown unit 'ft'"):
        read_mocap(path, unit="ft")
    with pytest.raises(ValueError, match="measure 4.15 m, expected"):
        read_mocap(path, unit="m")


@pytest.mark.parametrize(("axis", "turn"), [("z", ("x", 90)), ("x", ("z", -90)), ("-y", ("x", 180))])
def test_up_axis_is_told_from_the_body(tmp_path, axis, turn):
    """The sample has y up; turned about another axis, ankles and head end at the same heights."""
    motion, rotation = walking_person(0.1), Rotation.from_euler(*turn, degrees=True)
    local = motion.local_quat.copy()
    local[:, 0] = (rotation * Rotation.from_quat(local[:, 0])).as_quat()
    turned = dataclasses.replace(motion, local_quat=local, root_pos=rotation.apply(motion.root_pos))
    upright = read_mocap(write_bvh(motion, tmp_path / "y.bvh"))
    file = read_mocap(write_bvh(turned, tmp_path / "other.bvh"))
    assert (upright.up, file.up) == ("y", axis)
    heights = [each.motion.joint_poses()[0][..., 2] for each in (upright, file)]
    assert float((heights[0] - heights[1]).abs().max()) < 1e-6


def test_lying_body_needs_the_axis(tmp_path):
    motion, tilt = walking_person(0.1), Rotation.from_euler("x", 45, degrees=True)
    local = motion.local_quat.copy()
    local[:, 0] = tilt.as_quat()
    path = write_bvh(dataclasses.replace(motion, local_quat=local), tmp_path / "lying.bvh")
    with pytest.raises(ValueError, match="up axis cannot be told.*--up y"):
        read_mocap(path)
    assert read_mocap(path, up="y").up == "y"
    with pytest.raises(ValueError, match=r"Unknown axis 'w'. Known: \['z', 'y', 'x'"):
        read_mocap(path, up="w")


def test_calibration_frame_is_left_out(tmp_path):
    motion = walking_person(0.5)
    root = motion.root_pos.copy()
    root[0, 0] += 100.0
    file = read_mocap(write_bvh(dataclasses.replace(motion, root_pos=root), tmp_path / "walk.bvh"))
    assert file.motion.num_frames == motion.num_frames - 1 and "1.00 m away" in file.notes[0]
    assert read_mocap(write_bvh(motion, tmp_path / "walk.bvh")).notes == ()


def test_each_packaged_table_is_found():
    for name in PACKAGED:
        table = read_table(TABLE_DIR / f"{name}.yaml")
        joints = [names[0] for names in table.joints.values()] + list(table.recognized_by[:1])
        assert choose_table(joints).name == name
    assert choose_table([f"mixamorig:{name}" for name in BONES]).name == "generic"


def test_unknown_skeleton_lists_the_tables():
    with pytest.raises(ValueError, match=r"Unknown skeleton.*lafan1 finds no.*cmu finds no.*generic finds no.*'tail'"):
        choose_table(["hips", "tail"])
    with pytest.raises(FileNotFoundError, match=r"Packaged tables: \['lafan1', 'cmu', 'generic'\]"):
        choose_table(list(BONES), "no.yaml")
    with pytest.raises(ValueError, match="'lafan1' does not fit this skeleton: it finds no"):
        choose_table(list(BONES), "lafan1")


def test_own_table(tmp_path):
    path = tmp_path / "mine.yaml"
    text = (TABLE_DIR / "generic.yaml").read_text().replace("[Hips,", "[beckenknochen,").replace("name: generic\n", "")
    path.write_text(text)
    table = choose_table([name.replace("Hips", "Beckenknochen") for name in BONES], str(path))
    assert (table.name, table.find(["Beckenknochen"])) == ("mine", {"pelvis": "Beckenknochen"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not a YAML file"),
        ("joints: 3", "expected an entry `joints`"),
        ("joints: {pelvis: Hips, tail: [x]}", r"unknown landmarks \['tail'\], missing landmarks \['chest'"),
        ("joints: {pelvis: 3}", "should be a name or a list of names"),
    ],
)
def test_wrong_table_is_refused(tmp_path, text, message):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_table(path)


def test_wrong_up_axis_is_refused(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text((TABLE_DIR / "generic.yaml").read_text() + "up_axis: {pelvis: [0, 0, 0]}\n")
    with pytest.raises(ValueError, match="up_axis holds three numbers each"):
        read_table(path)
