"""``--video`` of every script on a machine without a GPU and without a display: an MP4 of robot and ghost that move."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import imageio.v2
import numpy as np
import pytest

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.motion.sources.motion_entries import MotionEntry

pytestmark = pytest.mark.integration

SCRIPTS = Path(__file__).parents[2] / "scripts"
TASK = ["--task", "Tracking-Flat-G1-Residual-v0", "physics=mujoco_cpu"]
CLIP = ["--motion_file", "down.npz"]
WITHOUT_DISPLAY = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}


def run_script(name: str, *arguments, folder: Path, status: int = 0) -> subprocess.CompletedProcess:
    command = [sys.executable, str(SCRIPTS / name), *map(str, arguments)]
    # A renderer that needs OpenGL would not get it.
    environment = WITHOUT_DISPLAY | {"MUJOCO_GL": "disabled", "PYOPENGL_PLATFORM": "none"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=folder, env=environment)
    assert done.returncode == status, done.stdout[-2000:] + done.stderr[-4000:]
    return done


def check_video(path: Path, num_steps: int, least_change: float = 0.3) -> None:
    """Every second step of a 50 Hz run: a solid robot and a ghost that move by a mean change of pixels."""
    reader = imageio.v2.get_reader(path)
    assert reader.get_meta_data()["fps"] == 25.0
    frames = [frame.astype(int) for frame in reader]
    assert len(frames) == -(-num_steps // 2)
    for frame in frames:
        assert frame.shape == (480, 640, 3)
        assert (frame.max(-1) < 100).sum() > 1000, "no dark parts of the robot"
    # Where robot and reference agree, as at the start, the robot hides its ghost.
    ghost = [int((frame[..., 2] - frame[..., 0] > 50).sum()) for frame in frames]
    assert max(ghost) > 500, f"too little of the ghost: {ghost}"
    change = max(float(np.abs(frame - frames[0]).mean()) for frame in frames)
    assert change >= least_change, f"nothing moves: a mean change of {change}"
    assert sorted(path.parent.glob(f".{path.stem}*")) == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with a clip of 61 frames, the way down of the shipped squat, and a run of one iteration on it."""
    folder = tmp_path_factory.mktemp("videos")
    MotionEntry(DEFAULT_MOTION_FILE, frame_range=(31, 91)).load().save(folder / "down.npz")
    run_script("rsl_rl/train.py", *TASK, *CLIP, "--num_envs", 4, "--max_iterations", 1, folder=folder)
    return folder


@pytest.fixture(scope="module")
def run(folder) -> Path:
    return next(folder.glob("logs/rsl_rl/*/*/model_*.pt")).parent


@pytest.mark.slow
def test_play_shows_one_env_for_as_long_as_asked(folder, run):
    done = run_script("rsl_rl/play.py", *TASK, *CLIP, "--checkpoint", "latest", "--num_envs", 2, "--video",
                      "--video_env", 1, "--video_length", 30, folder=folder)  # fmt: skip
    path = Path(re.search(r"Video: (\S+)", done.stdout)[1])
    assert (folder / path).resolve().parent == (run / "videos" / "play").resolve()
    check_video(folder / path, 30)


@pytest.mark.slow
def test_play_shows_more_than_the_first_steps_of_a_policy_that_fails_at_once(folder):
    done = run_script("rsl_rl/play.py", *TASK, "--checkpoint", "latest", "--num_envs", 1, "--video",
                      "env.terminations.anchor_pos.params.threshold=0.01", folder=folder)  # fmt: skip
    num_episodes = int(re.search(r": (\d+) episodes ended", done.stdout)[1])
    assert num_episodes > 1
    video = folder / re.search(r"Video: (\S+)", done.stdout)[1]
    check_video(video, 200 - num_episodes, least_change=0.0)  # an episode of two or three steps shows one pose


@pytest.fixture(scope="module")
def report(folder) -> Path:
    run_script("rsl_rl/evaluate.py", *TASK, *CLIP, "--num_envs", 2, "--video", "--video_length", 40,
               "--output_dir", "report", folder=folder)  # fmt: skip
    return folder / "report"


def test_evaluate_shows_the_median_and_the_worst_rollout(report):
    page = (report / "report.html").read_text()
    for name in ("played.mp4", "worst.mp4"):
        check_video(report / name, 40)
        assert f'<video src="{name}"' in page and f'<a href="{name}"' in page


def test_replay_shows_the_robot_beside_the_clip(folder):
    run_script("replay_npz.py", *CLIP, "--headless", "physics=mujoco_cpu", "--video", "down.mp4", folder=folder)
    check_video(folder / "down.mp4", 61)


def test_sim2sim_shows_the_median_rollout(folder, run):
    run_script("sim2sim.py", "--policy", run / "exported" / "policy.onnx", "--num_rollouts", 1, "--video", "sim.mp4",
               folder=folder)  # fmt: skip
    num_steps = MotionClip.load(run / "exported" / "sim2sim" / "played.npz").num_frames
    check_video(folder / "sim.mp4", num_steps)
    assert json.loads((run / "exported" / "sim2sim" / "report.json").read_text())["overall"]["num_rollouts"] == 1


@pytest.fixture
def opened(tmp_path):
    """Opens a file in a browser, if there is one."""
    pytest.importorskip("websockets")
    import browser

    if browser.CHROMIUM is None:
        pytest.skip("no Chromium")
    return lambda page: browser.opened(page, tmp_path / "profile")


def test_a_browser_plays_the_videos_of_the_report(report, opened):
    with opened(report / "report.html") as page:
        size = """new Promise((done, fail) => {
            const video = document.querySelectorAll('video')[%d]
            video.onerror = () => fail(video.error.message)
            video.onseeked = () => done([video.videoWidth, video.videoHeight, video.currentTime])
            video.onloadeddata = () => { video.currentTime = 0.5 }
            video.load()
        })"""
        for index in range(2):
            assert page.evaluate(size % index) == [640, 480, 0.5]
        assert page.problems() == []


def test_a_browser_shows_robot_and_ghost_moving_on_the_page_of_the_median(report, opened):
    """The page is drawn with WebGL in software here, a few pictures per minute on a busy machine."""
    from browser import wait_for

    assert 'href="played.html"' in (report / "report.html").read_text()
    shown = []

    def look(page) -> bool:
        picture = page.picture()[:, 100:]  # a notice of the viewer lies on the left
        ghost, robot = picture[..., 2] - picture[..., 0] > 60, picture.max(-1) < 70
        if ghost.sum() > 100 and robot.sum() > 100:
            shown.append(picture)
        return len(shown) > 1 and (np.abs(shown[-1] - shown[0]).max(-1) > 60).sum() > 100

    with opened(report / "played.html") as page:
        assert wait_for(lambda: look(page), seconds=150.0), f"{len(shown)} pictures with both, all alike"
        assert page.problems() == []
