"""A video of sim2sim shows what it should, and a missing renderer is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

VIDEO = """
import sys
from dataclasses import replace
from pathlib import Path
from whole_body_tracking.sim2sim.pictures import require_video
path = Path(sys.argv[1])
try:
    require_video(path)
except ValueError as error:
    print(error)
    sys.exit(7)
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.motion.clip import ARRAYS
from whole_body_tracking.robots import G1
from whole_body_tracking.sim2sim.show import write_video
clip = MotionClip.load(DEFAULT_MOTION_FILE)
clip = replace(clip, **{key: getattr(clip, key)[:13] for key in ARRAYS})
write_video(path, G1, clip, clip)
import imageio.v2
frames = [frame for frame in imageio.v2.get_reader(path)]
assert len(frames) == 7, len(frames)
assert frames[0].shape == (480, 640, 3) and frames[0].std() > 10.0
"""
"""Thirteen frames at 50 Hz, every second one shown: seven pictures that are not of one colour."""


def run_video(path: Path, **environment) -> subprocess.CompletedProcess:
    """MuJoCo chooses its renderer when it is imported, so in a process of its own."""
    env = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "MUJOCO_GL")} | environment
    command = [sys.executable, "-c", VIDEO, str(path)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)


def test_a_missing_renderer_is_named(tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    done = run_video(tmp_path / "walk.mp4", MUJOCO_GL="glfw")
    assert done.returncode == 7, done.stderr[-2000:]
    assert "renderer 'glfw' does not start" in done.stdout and "libegl1" in done.stdout


def test_video_shows_every_second_frame(tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    done = run_video(tmp_path / "walk.mp4")
    if done.returncode == 7:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stderr[-2000:]
