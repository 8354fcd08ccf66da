"""Clips of BeyondMimic, mjlab and holosoma: the layout is found, the motion comes back, a wrong one is refused."""

import runpy
import sys

import numpy as np
import pytest
from five_joint_robot import FIVE, nodding

from whole_body_tracking.motion import MotionClip, convert, read_csv
from whole_body_tracking.motion.clip import ARRAYS
from whole_body_tracking.motion.conversion.batch import ConversionJob
from whole_body_tracking.motion.conversion.foreign import read_foreign
from whole_body_tracking.motion.npz import read_arrays
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

W_FIRST = [3, 0, 1, 2]
BREADTH_FIRST = (G1.joint_names_breadth_first, G1.body_names_breadth_first)
DEPTH_FIRST = (G1.joint_names, G1.body_names)


@pytest.fixture(scope="module")
def squat(repository):
    return convert(read_csv(repository / "motions" / "squat.csv", fps=30))


def write_nameless(path, clip, order, quat=W_FIRST):
    """As BeyondMimic and mjlab write it; the velocities must not be believed."""
    joints, bodies = clip.joint_indices(order[0]), clip.body_indices(order[1])
    wrong = np.full_like(clip.body_pos_w, 7.0)
    content = {
        "fps": np.array([int(clip.fps)]),
        "joint_pos": clip.joint_pos[:, joints],
        "joint_vel": np.full_like(clip.joint_vel, 7.0),
        "body_pos_w": clip.body_pos_w[:, bodies],
        "body_quat_w": clip.body_quat_w[:, bodies][..., quat],
        "body_lin_vel_w": wrong,
        "body_ang_vel_w": wrong,
    }
    np.savez(path, **content)
    return path


def holosoma_content(clip, quat=W_FIRST):
    """Root and joints in one array, MuJoCo's ``world`` first, and a body that is fixed to the torso."""
    still, still_quat = np.zeros((clip.num_frames, 1, 3)), np.tile(np.eye(4)[3], (clip.num_frames, 1, 1))
    torso = clip.body_indices(["torso_link"])
    pos = np.concatenate((still, clip.body_pos_w, clip.body_pos_w[:, torso]), axis=1)
    body_quat = np.concatenate((still_quat, clip.body_quat_w, clip.body_quat_w[:, torso]), axis=1)[..., quat]
    root = np.concatenate((clip.body_pos_w[:, 0], clip.body_quat_w[:, 0][:, quat]), axis=1)
    return {
        "fps": [int(clip.fps)],
        "joint_pos": np.concatenate((root, clip.joint_pos), axis=1),
        "joint_vel": np.full((clip.num_frames, 35), 7.0),
        "body_pos_w": pos,
        "body_quat_w": body_quat,
        "body_lin_vel_w": np.full_like(pos, 7.0),
        "body_ang_vel_w": np.full_like(pos, 7.0),
        "joint_names": list(clip.joint_names),
        "body_names": ["world", *clip.body_names, "head_link"],
    }


def write_holosoma(path, clip, quat=W_FIRST, **changes):
    np.savez(path, **holosoma_content(clip, quat) | changes)
    return path


WRITERS = {
    "beyondmimic": lambda path, clip: write_nameless(path, clip, BREADTH_FIRST),
    "beyondmimic-xyzw": lambda path, clip: write_nameless(path, clip, BREADTH_FIRST, [0, 1, 2, 3]),
    "mjlab": lambda path, clip: write_nameless(path, clip, DEPTH_FIRST),
    "mjlab-xyzw": lambda path, clip: write_nameless(path, clip, DEPTH_FIRST, [0, 1, 2, 3]),
    "holosoma": write_holosoma,
    "holosoma-xyzw": lambda path, clip: write_holosoma(path, clip, [0, 1, 2, 3]),
}


def load_foreign(path):
    """The clip of a file, and how the file was read."""
    foreign = read_foreign(read_arrays(path), path.name, G1)
    return convert(foreign.raw, foreign.raw.fps, G1), foreign.fit


@pytest.mark.parametrize("layout", WRITERS)
def test_layout_is_found_and_the_motion_comes_back(squat, tmp_path, layout):
    read, fit = load_foreign(WRITERS[layout](tmp_path / "old.npz", squat))
    assert fit.layout.name == layout
    assert (read.fps, read.joint_names, read.body_names) == (squat.fps, squat.joint_names, squat.body_names)
    for key in ("joint_pos", "body_pos_w"):
        np.testing.assert_allclose(getattr(read, key), getattr(squat, key), atol=1e-5)
    same_sign = np.sign((read.body_quat_w * squat.body_quat_w).sum(-1, keepdims=True))
    np.testing.assert_allclose(same_sign * read.body_quat_w, squat.body_quat_w, atol=1e-5)
    for key in ("joint_vel", "body_lin_vel_w", "body_ang_vel_w"):
        # Of poses that were rounded to float32: 1e-6 over 1/50 s.
        np.testing.assert_allclose(getattr(read, key), getattr(squat, key), atol=1e-4)


@pytest.mark.parametrize("layout", WRITERS)
def test_a_stated_layout_gives_the_same_clip(squat, tmp_path, layout):
    path = WRITERS[layout](tmp_path / "old.npz", squat)
    stated, (found, _) = MotionClip.load(path, layout=layout), load_foreign(path)
    assert stated.name == "old" and stated.source == found.source and stated.digest == found.digest
    for key in ARRAYS:
        np.testing.assert_array_equal(getattr(stated, key), getattr(found, key))


@pytest.mark.parametrize(("stored", "asked"), [("beyondmimic", "mjlab"), ("mjlab", "beyondmimic")])
def test_a_wrong_layout_is_found_out(squat, tmp_path, stored, asked):
    path = WRITERS[stored](tmp_path / "old.npz", squat)
    with pytest.raises(ValueError, match=rf"does not fit layout '{asked}' of g1.*Other layouts: .*{stored} 0\.0 mm"):
        MotionClip.load(path, layout=asked)


def test_one_tolerance_for_both_ways_to_read(squat, tmp_path):
    """A waist that is 23.5 mm higher: the reader of stated layouts once took it, with a tolerance of 50 mm."""
    pos = squat.body_pos_w.copy()
    pos[:, squat.body_names.index("torso_link"), 2] += 0.0235
    bad = MotionClip(**{key: getattr(squat, key) for key in squat.__dataclass_fields__} | {"body_pos_w": pos})
    path = WRITERS["mjlab"](tmp_path / "old.npz", bad)
    for read in (load_foreign, lambda file: MotionClip.load(file, layout="mjlab")):
        with pytest.raises(ValueError, match=r"up to 23\.5 mm .* expected at most 1 mm"):
            read(path)


def test_unknown_layout(squat, tmp_path):
    path = WRITERS["mjlab"](tmp_path / "old.npz", squat)
    with pytest.raises(ValueError, match="Unknown layout of old.npz: 'mjlb'. Known: beyondmimic,.*mean 'mjlab'"):
        MotionClip.load(path, layout="mjlb")


def test_the_robot_of_a_layout_is_not_assumed(tmp_path):
    """Also beside --layout: a file of another robot is read with that robot's facts."""
    clip = convert(nodding(), output_fps=50, robot=FIVE)
    path = write_nameless(tmp_path / "five.npz", clip, (FIVE.joint_names_breadth_first, FIVE.body_names_breadth_first))
    read = MotionClip.load(path, layout="beyondmimic", robot=FIVE)
    assert read.joint_names == FIVE.joint_names and read.source["robot"] == "five"
    np.testing.assert_allclose(read.body_pos_w, clip.body_pos_w, atol=1e-5)
    with pytest.raises(ValueError, match="five.npz holds 5 joint and 6 body columns, expected 29 and 30 for g1"):
        MotionClip.load(path, layout="beyondmimic")
    job = ConversionJob(path, None, layout="beyondmimic", robot="five")
    with pytest.raises(ValueError, match="Unknown robot: 'five'"):
        job.convert(path)


def test_rate_is_kept(tmp_path, repository):
    clip = convert(read_csv(repository / "motions" / "squat.csv", fps=30), output_fps=30)
    read, _ = load_foreign(WRITERS["mjlab"](tmp_path / "old.npz", clip))
    assert (read.fps, read.num_frames) == (30.0, clip.num_frames)


def test_another_waist_is_refused_with_the_error_of_each_body(squat, tmp_path):
    pos = squat.body_pos_w.copy()
    upper = [
        i for i, name in enumerate(squat.body_names) if not any(w in name for w in ("pelvis", "hip", "knee", "ankle"))
    ]
    pos[:, upper[1:], 2] += 0.0235  # all above waist_yaw_link
    changed = holosoma_content(squat)["body_pos_w"]
    changed[:, 1:-1] = pos
    with pytest.raises(ValueError, match=r"under 'holosoma', the best layout, bodies are up to 23\.5 mm") as error:
        load_foreign(write_holosoma(tmp_path / "old.npz", squat, body_pos_w=changed))
    assert "starts at ['waist_roll_link']" in str(error.value)
    assert "torso_link 23.5 mm 0.0 deg" in str(error.value) and "left_knee_link" not in str(error.value)


@pytest.mark.parametrize("layout", ["beyondmimic", "mjlab"])
def test_one_bad_frame_is_found(squat, tmp_path, layout):
    pos = squat.body_pos_w.copy()
    pos[101, squat.body_names.index("left_knee_link"), 0] += 0.005
    bad = MotionClip(**{key: getattr(squat, key) for key in squat.__dataclass_fields__} | {"body_pos_w": pos})
    with pytest.raises(ValueError, match=rf"'{layout}'.*frame 101 of .*all: left_knee_link 5\.0 mm"):
        load_foreign(WRITERS[layout](tmp_path / "old.npz", bad))


def test_wrong_angle_of_a_last_joint_is_seen_in_its_orientation(squat, tmp_path):
    """Nothing hangs on a wrist: no position shows its angle. 0.1 rad = 5.7 degrees."""
    angles = squat.joint_pos.copy()
    angles[:, G1.joint_names.index("left_wrist_yaw_joint")] += 0.1
    bad = MotionClip(**{key: getattr(squat, key) for key in squat.__dataclass_fields__} | {"joint_pos": angles})
    with pytest.raises(ValueError, match=r"left_wrist_yaw_link 0\.0 mm 5\.7 deg"):
        load_foreign(WRITERS["beyondmimic"](tmp_path / "old.npz", bad))


def test_root_columns_that_disagree_with_the_root_body_are_refused(squat, tmp_path):
    moved = holosoma_content(squat)["joint_pos"]
    moved[:, 2] += 0.002
    with pytest.raises(ValueError, match=r"starts at \['pelvis'\]; all: pelvis 2\.0 mm"):
        load_foreign(write_holosoma(tmp_path / "old.npz", squat, joint_pos=moved))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"joint_pos": np.zeros((5, 12))}, r"expected joint_pos \[T, J\]"),
        ({"fps": [50, 50]}, "expected one positive fps"),
        ({"body_pos_w": np.full((251, 32, 3), np.nan)}, "body_pos_w holds values that are not finite"),
        ({"body_names": ["b"] * 32}, r"lacks the bodies \['pelvis'"),
        ({"quat_order": "xyzw"}, "already a clip of this project"),
    ],
)
def test_bad_content_is_refused(squat, tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        load_foreign(write_holosoma(tmp_path / "old.npz", squat, **changes))


def test_nameless_file_of_another_robot_is_refused(squat, tmp_path):
    path = write_nameless(tmp_path / "old.npz", squat, (G1.joint_names[:23], G1.body_names[:24]))
    with pytest.raises(ValueError, match="holds 23 joint and 24 body columns, expected 29 and 30 for g1"):
        load_foreign(path)


@pytest.fixture
def script(repository, monkeypatch, capsys):
    """Run the script in this process; returns exit status, stdout and stderr."""

    def run(*arguments):
        path = repository / "scripts" / "convert_legacy_npz.py"
        monkeypatch.setattr(sys, "argv", [str(path), *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(path), run_name="__main__")
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    return run


def test_script_prints_the_layout_and_writes_a_clip(squat, tmp_path, script):
    output = tmp_path / "new" / "squat.npz"
    status, out, _ = script("--input_file", write_holosoma(tmp_path / "old.npz", squat), "--output_file", output)
    assert status == 0 and out.startswith("layout   holosoma: 32 bodies, quaternions w x y z\n")
    assert MotionClip.load(output).source["layout"] == "holosoma"


def test_nothing_is_overwritten_on_failure(squat, tmp_path, script):
    output = tmp_path / "squat.npz"
    output.write_bytes(b"precious")
    bad = write_holosoma(tmp_path / "old.npz", squat, body_pos_w=holosoma_content(squat)["body_pos_w"] * 1.1)
    status, _, err = script("--input_file", bad, "--output_file", output)
    assert status == 1 and err.startswith("error: old.npz does not agree with itself") and err.count("\n") == 1
    assert output.read_bytes() == b"precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.npz", "squat.npz"]


def test_a_file_does_not_overwrite_itself(squat, tmp_path, script):
    path = write_holosoma(tmp_path / "old.npz", squat)
    before = path.read_bytes()
    status, _, err = script("--input_file", path, "--output_file", path)
    assert status == 1 and "would overwrite itself" in err and path.read_bytes() == before
