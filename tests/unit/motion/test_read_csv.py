"""Reading of Unitree's CSV, and the messages about wrong files."""

import warnings

import numpy as np
import pytest
from motion_samples import write_rows

from whole_body_tracking.motion import read_csv
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit


def edit(path, row, column, text):
    """Replace one cell, 1-based."""
    lines = path.read_text().splitlines()
    cells = lines[row - 1].split(",")
    cells[column - 1] = text
    lines[row - 1] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n")


def test_values_arrive_in_their_fields(csv_file, raw):
    read = read_csv(csv_file, fps=30)
    np.testing.assert_allclose(read.root_pos, raw.root_pos, atol=1e-8)
    np.testing.assert_allclose(read.root_quat, raw.root_quat, atol=1e-8)
    np.testing.assert_allclose(read.joint_pos, raw.joint_pos, atol=1e-8)
    assert read.joint_names == G1.joint_names
    assert read.fps == 30.0 and read.duration == 1.0
    assert read.source["file"] == "sway.csv" and len(read.source["sha256"]) == 64


def test_frame_range_is_one_based_and_includes_both_ends(csv_file, raw):
    read = read_csv(csv_file, fps=30, frame_range=(3, 5))
    np.testing.assert_allclose(read.root_pos, raw.root_pos[2:5], atol=1e-8)
    assert read.source["frame_range"] == [3, 5]


@pytest.mark.parametrize("frame_range", [(0, 5), (1, 32), (40, 50), (7, 6), (-3, 4)])
def test_frame_range_outside_the_file_is_refused(csv_file, frame_range):
    with pytest.raises(ValueError, match=rf"frame range {frame_range[0]} {frame_range[1]} does not fit.*has 31 frames"):
        read_csv(csv_file, fps=30, frame_range=frame_range)


def test_blank_lines_windows_ends_and_byte_order_mark_are_read(csv_file, raw):
    csv_file.write_bytes(b"\xef\xbb\xbf" + csv_file.read_bytes().replace(b"\n", b"\r\n") + b"\r\n\r\n")
    assert read_csv(csv_file, fps=30).num_frames == raw.num_frames


def test_w_first_quaternions_are_refused_unless_asked_for(tmp_path, raw):
    path = write_rows(tmp_path / "w_first.csv", raw, quat_order="wxyz")
    with pytest.raises(ValueError, match=r"look w-first.*100%.*--quat_order wxyz"):
        read_csv(path, fps=30)
    np.testing.assert_allclose(read_csv(path, fps=30, quat_order="wxyz").root_quat, raw.root_quat, atol=1e-8)


def test_motion_on_the_floor_is_not_taken_for_w_first(csv_file):
    for row in range(1, 32):  # lying on the back, tipped beyond horizontal: 120 degrees about y
        for column, value in zip((4, 5, 6, 7), ("0", "0.8660254", "0", "0.5"), strict=True):
            edit(csv_file, row, column, value)
    assert read_csv(csv_file, fps=30).num_frames == 31


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.csv does not exist"):
        read_csv(tmp_path / "nothing.csv", fps=30)


def test_folder_instead_of_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="is a folder, not a CSV file"):
        read_csv(tmp_path, fps=30)


def test_empty_file(tmp_path):
    (tmp_path / "empty.csv").write_text("\n\n")
    with pytest.raises(ValueError, match="empty.csv is empty, expected rows of 36 columns"):
        read_csv(tmp_path / "empty.csv", fps=30)


def test_binary_file(tmp_path):
    (tmp_path / "image.csv").write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(ValueError, match="image.csv is not a text file"):
        read_csv(tmp_path / "image.csv", fps=30)


def test_wrong_number_of_columns(tmp_path):
    np.savetxt(tmp_path / "dof23.csv", np.zeros((4, 30)), delimiter=",")
    with pytest.raises(ValueError, match=r"row 1 has 30 columns, expected 36: root x y z, root quaternion, 29 joint"):
        read_csv(tmp_path / "dof23.csv", fps=30)


def test_one_row_with_too_few_columns(csv_file):
    lines = csv_file.read_text().splitlines()
    lines[6] = lines[6].rsplit(",", 2)[0]
    csv_file.write_text("\n".join(lines))
    with pytest.raises(ValueError, match="row 7 has 34 columns, expected 36"):
        read_csv(csv_file, fps=30)


def test_text_in_a_cell(csv_file):
    edit(csv_file, 9, 12, "oops")
    with pytest.raises(ValueError, match="row 9, column 12: 'oops' is not a number"):
        read_csv(csv_file, fps=30)


def test_header_line(csv_file):
    csv_file.write_text(",".join(["name"] * 36) + "\n" + csv_file.read_text())
    with pytest.raises(ValueError, match="row 1, column 1: 'name' is not a number. Remove the header line"):
        read_csv(csv_file, fps=30)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
def test_values_that_are_not_finite(csv_file, text):
    edit(csv_file, 5, 20, text)
    with pytest.raises(ValueError, match=rf"row 5, column 20 is {text}, expected a finite number \(1 such"):
        read_csv(csv_file, fps=30)
    assert read_csv(csv_file, fps=30, frame_range=(6, 31)).num_frames == 26


def test_rows_are_counted_in_the_file_when_a_range_is_cut_out(csv_file):
    edit(csv_file, 12, 8, "nan")
    with pytest.raises(ValueError, match="row 12, column 8 is nan"):
        read_csv(csv_file, fps=30, frame_range=(10, 20))


@pytest.mark.parametrize(("values", "kind"), [("0000", "zero"), ("0002", "not unit")])
def test_bad_quaternions(csv_file, values, kind):
    for column, value in enumerate(values, start=4):
        edit(csv_file, 8, column, value)
    with pytest.raises(ValueError, match=rf"row 8: the quaternion in columns 4-7 is {kind}"):
        read_csv(csv_file, fps=30)


def test_rounded_quaternions_are_normalised(csv_file):
    edit(csv_file, 1, 7, "1.004")
    assert np.linalg.norm(read_csv(csv_file, fps=30).root_quat[0]) == pytest.approx(1.0, abs=1e-12)


def test_one_frame_is_not_a_motion(csv_file):
    csv_file.write_text(csv_file.read_text().splitlines()[0])
    with pytest.raises(ValueError, match="one frame is not a motion"):
        read_csv(csv_file, fps=30)


@pytest.mark.parametrize("fps", [0, -30, float("nan")])
def test_rate_must_be_positive(csv_file, fps):
    with pytest.raises(ValueError, match="a rate is positive"):
        read_csv(csv_file, fps=fps)


def test_unknown_names(csv_file):
    with pytest.raises(ValueError, match="Unknown quaternion order: 'xwyz'. Known: xyzw, wxyz"):
        read_csv(csv_file, fps=30, quat_order="xwyz")
    with pytest.raises(ValueError, match="Unknown robot: 'h1'. Known: g1"):
        read_csv(csv_file, fps=30, robot="h1")


def test_angles_beyond_limits_warn_with_their_number(csv_file):
    for row in (3, 4):
        edit(csv_file, row, 7 + 1 + G1.joint_names.index("left_knee_joint"), "3.5")
    with pytest.warns(
        UserWarning, match=r"2 joint angles in 2 of 31 frames.*left_knee_joint = 3.500 rad, allowed -0.087"
    ):
        read_csv(csv_file, fps=30)


def test_angles_within_limits_do_not_warn(csv_file):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_csv(csv_file, fps=30)
