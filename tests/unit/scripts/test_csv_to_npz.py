"""The converter's command line: what it writes, where, and how it ends."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip

pytestmark = pytest.mark.unit

REPOSITORY = Path(__file__).parents[3]
SCRIPT = REPOSITORY / "scripts" / "csv_to_npz.py"
SQUAT = REPOSITORY / "motions" / "squat.csv"


@pytest.fixture
def convert(monkeypatch, capsys):
    """Run the script in this process; returns exit status, stdout and stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(SCRIPT), run_name="__main__")
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    return run


@pytest.fixture
def walk(tmp_path):
    """A copy of a shipped motion in a folder of its own."""
    path = tmp_path / "in" / "walk.csv"
    path.parent.mkdir()
    path.write_bytes(SQUAT.read_bytes())
    return path


def test_clip_is_written_beside_its_input_and_reported(convert, walk):
    status, out, err = convert("--input_file", walk, "--input_fps", 30, "--headless")
    assert (status, err) == (0, "")
    clip = MotionClip.load(walk.with_suffix(".npz"))
    assert (clip.fps, clip.num_frames, clip.name) == (50.0, 251, "walk")
    assert all(word in out for word in ("joint limits", "foot skate", "penetration", "jumps", str(walk.parent)))


@pytest.mark.parametrize(
    ("flags", "written"),
    [
        (["--output_file", "{tmp}/a/b.npz"], "a/b.npz"),
        (["--output_dir", "{tmp}/clips"], "clips/walk.npz"),
        (["--output_name", "slow_walk"], "in/slow_walk.npz"),
        (["--output_name", "slow_walk.npz"], "in/slow_walk.npz"),
        (["--output_dir", "{tmp}/clips", "--output_name", "slow_walk"], "clips/slow_walk.npz"),
    ],
)
def test_output_flags(convert, walk, tmp_path, flags, written):
    status, _, _ = convert("--input_file", walk, "--input_fps", 30, *[flag.format(tmp=tmp_path) for flag in flags])
    assert status == 0
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.npz")] == [written]


def test_rates_and_frame_range(convert, walk):
    arguments = ("--input_file", walk, "--input_fps", 60, "--output_fps", 25, "--frame_range", 31, 91)
    assert convert(*arguments)[0] == 0
    clip = MotionClip.load(walk.with_suffix(".npz"))
    # Rows 31 to 91 at 60 fps last one second: 26 frames at 25 fps.
    assert (clip.fps, clip.num_frames) == (25.0, 26)
    assert clip.source["frame_range"] == [31, 91] and clip.source["input_fps"] == 60.0


def test_folder_with_one_bad_file_converts_the_others(convert, walk, tmp_path):
    (walk.parent / "broken.csv").write_text("1,2,3\n")
    (walk.parent / "walk10.csv").write_bytes(walk.read_bytes())
    (walk.parent / "notes.txt").write_text("not a motion")
    status, out, err = convert("--input_file", walk.parent, "--input_fps", 30, "--output_dir", tmp_path / "out")
    assert status == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["walk.npz", "walk10.npz"]
    assert err == "error: broken.csv: row 1 has 3 columns, expected 36: root x y z, root quaternion, 29 joint angles.\n"
    assert "2 clips converted, 1 files refused." in out


def test_nothing_is_overwritten_when_the_input_is_bad(convert, walk):
    assert convert("--input_file", walk, "--input_fps", 30)[0] == 0
    before = walk.with_suffix(".npz").read_bytes()
    walk.write_text(walk.read_text().replace("0.", "x.", 1))
    status, _, err = convert("--input_file", walk, "--input_fps", 30)
    assert status == 1 and "is not a number" in err
    assert walk.with_suffix(".npz").read_bytes() == before
    assert sorted(path.name for path in walk.parent.iterdir()) == ["walk.csv", "walk.npz"]


def test_w_first_input(convert, walk):
    rows = np.loadtxt(walk, delimiter=",")
    rows[:, 3:7] = rows[:, [6, 3, 4, 5]]
    np.savetxt(walk, rows, delimiter=",")
    status, _, err = convert("--input_file", walk, "--input_fps", 30)
    assert status == 1 and "--quat_order wxyz" in err
    assert convert("--input_file", walk, "--input_fps", 30, "--quat_order", "wxyz")[0] == 0


def test_nameless_clip_is_rewritten_with_names(convert, tmp_path):
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    fields = {key: getattr(clip, key) for key in ("joint_pos", "joint_vel", "body_pos_w", "body_lin_vel_w")}
    fields["body_quat_w"] = clip.body_quat_w[..., [3, 0, 1, 2]]
    np.savez(tmp_path / "old.npz", fps=50, **fields)
    status, _, err = convert("--input_file", tmp_path / "old.npz", "--layout", "mjlab")
    assert status == 1 and "would overwrite itself" in err
    assert convert("--input_file", tmp_path / "old.npz", "--layout", "mjlab", "--output_name", "new")[0] == 0
    np.testing.assert_allclose(MotionClip.load(tmp_path / "new.npz").body_quat_w, clip.body_quat_w, atol=1e-6)


def test_ground_flag(convert, walk):
    rows = np.loadtxt(walk, delimiter=",")
    rows[:, 2] += 0.25
    np.savetxt(walk, rows, delimiter=",")
    assert convert("--input_file", walk, "--input_fps", 30, "--ground")[0] == 0
    # Standing in the default pose the pelvis is at 0.757 m.
    assert MotionClip.load(walk.with_suffix(".npz")).body_pos_w[0, 0, 2] == pytest.approx(0.757, abs=2e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input_file", "{dir}/nothing.csv", "--input_fps", "30"], "nothing.csv does not exist"),
        (["--input_file", "{dir}/walk.csv"], "--input_fps is missing"),
        (["--input_file", "{dir}/walk.csv", "--input_fps", "30", "--robot", "h1"], "Unknown robot: 'h1'"),
        (["--input_file", "{dir}/walk.csv", "--input_fps", "-30"], "a rate is positive"),
        (["--input_file", "{dir}/walk.csv", "--input_fps", "30", "--output_file", "{dir}/x.npy"], "should end in .npz"),
        (["--input_file", "{dir}/walk.csv", "--input_fps", "30", "--frame_range", "0", "9"], "frame range 0 9"),
        (
            ["--input_file", "{dir}", "--input_fps", "30", "--output_name", "x"],
            "is a folder; --output_file, --output_name",
        ),
        (["--input_file", "{dir}/empty", "--input_fps", "30"], "contains no *.csv file"),
        (
            [
                "--input_file",
                "{dir}/walk.csv",
                "--input_fps",
                "30",
                "--output_file",
                "{dir}/x.npz",
                "--output_dir",
                "{dir}",
            ],
            "Give --output_file alone",
        ),
    ],
)
def test_bad_arguments_end_with_one_message(convert, walk, arguments, message):
    (walk.parent / "empty").mkdir()
    status, out, err = convert(*[argument.format(dir=walk.parent) for argument in arguments])
    assert status == 1 and message in err and err.startswith("error: ") and err.count("\n") == 1
    assert not list(walk.parent.rglob("*.npz"))
