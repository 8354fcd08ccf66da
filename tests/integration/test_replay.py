"""``replay_npz.py``: engines have the bodies where the clip has them, and bad input never reaches an engine."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from whole_body_tracking.motion import convert, read_csv

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).parents[2]
SCRIPT = REPOSITORY / "scripts" / "replay_npz.py"
ENGINES = ("mujoco_cpu", pytest.param("newton_mjwarp", marks=pytest.mark.slow), "ovphysx")  # Newton: MuJoCo's model
NUMBER = r"([\d.e+-]+)"


@pytest.fixture(scope="module")
def clip():
    """The shipped clip with steps, cut to 3 s."""
    raw = read_csv(REPOSITORY / "motions" / "step_in_place.csv", fps=30, frame_range=(1, 91))
    return convert(raw, output_fps=50, robot="g1")


@pytest.fixture(scope="module")
def clip_file(clip, tmp_path_factory):
    return clip.save(tmp_path_factory.mktemp("clips") / "step.npz")


def run_script(*arguments, folder):
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=folder)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_engine_has_the_bodies_where_the_clip_has_them(engine, clip_file, tmp_path):
    page = tmp_path / "step.html"
    finished = run_script(
        "--motion_file", clip_file, f"physics={engine}", "--headless", "--html", page, folder=tmp_path
    )
    assert finished.returncode == 0, finished.stderr[-4000:]
    position, angle = re.search(rf"position {NUMBER} m \(.*orientation {NUMBER} rad", finished.stdout).groups()
    assert "step: 151 frames at 50 fps" in finished.stdout
    assert float(position) < 1e-4
    assert float(angle) < 1e-3
    assert page.stat().st_size < 2e6
    assert [path.name for path in tmp_path.iterdir()] == ["step.html"]


@pytest.fixture
def replay(monkeypatch, tmp_path):
    """The script's function, in a process where starting a simulator is an error."""
    from whole_body_tracking import replaying

    def refuse(*_):
        raise AssertionError("A simulator was started.")

    monkeypatch.setattr("whole_body_tracking.viewer.engine.launch_simulation", refuse)
    monkeypatch.setattr(sys, "argv", ["replay_npz.py"])
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: replaying.replay([str(argument) for argument in arguments], description="")


def test_the_fixture_notices_a_simulator(replay, clip_file):
    with pytest.raises(AssertionError, match="simulator was started"):
        replay("--motion_file", clip_file, "--headless")


def test_a_missing_file_is_refused(replay):
    with pytest.raises(FileNotFoundError, match=r"^nowhere\.npz does not exist\. Make clips .*csv_to_npz\.py\.$"):
        replay("--motion_file", "nowhere.npz", "--headless")


def test_a_clip_of_another_robot_is_refused(replay, clip, tmp_path):
    joint_names = tuple(name.replace("knee", "hock") for name in clip.joint_names)
    path = replace(clip, joint_names=joint_names).save(tmp_path / "horse.npz")
    with pytest.raises(ValueError, match=r"horse is not a clip of g1.*left_knee_joint"):
        replay("--motion_file", path, "--headless")


def test_clips_of_two_rates_are_refused(replay, clip, clip_file, tmp_path):
    path = replace(clip, fps=25.0).save(tmp_path / "slow.npz")
    with pytest.raises(ValueError, match=r"slow has 25 fps, but step has 50.*--output_fps 50"):
        replay("--motion_file", clip_file, path, "--headless")


def test_a_truncated_file_is_refused(replay, clip_file, tmp_path):
    path = tmp_path / "cut.npz"
    path.write_bytes(clip_file.read_bytes()[:5000])
    with pytest.raises(ValueError, match="cut.npz"):
        replay("--motion_file", path, "--headless")


def test_no_motion_is_refused(replay):
    with pytest.raises(ValueError, match=r"--motion_file PATH or --registry_name NAME"):
        replay("--headless")


def test_a_page_in_a_missing_folder_is_refused(replay, clip_file):
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        replay("--motion_file", clip_file, "--html", "nowhere/page.html")


def test_an_unknown_engine_is_refused_even_after_the_motion(replay, clip_file):
    with pytest.raises(ValueError, match=r"(?s)bogus.*mujoco_cpu.*ovphysx"):
        replay("--headless", "--motion_file", clip_file, "physics=bogus")


def test_body_poses_that_do_not_follow_from_the_joints_are_called_out(clip):
    from whole_body_tracking.replaying import describe
    from whole_body_tracking.viewer.replay import compare

    poses = np.concatenate((clip.body_pos_w, clip.body_quat_w), axis=-1)
    poses[4, 2, 2] += 0.02
    assert re.search(r"2.00e-02 m .*frame 4.*convert the motion again", describe(compare(clip, clip.body_names, poses)))
