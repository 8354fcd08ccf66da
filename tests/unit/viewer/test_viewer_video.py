"""Videos: of the right length and size, moving, with robot, ghost and ground, and there completely or not at all."""

import importlib.util
from dataclasses import replace

import imageio.v2
import numpy as np
import pytest
from viewer_samples import walking_track

from whole_body_tracking.viewer import video
from whole_body_tracking.viewer.picture import GROUND_COLORS
from whole_body_tracking.viewer.video import cameras, check_video, pictures, write_video

pytestmark = [pytest.mark.unit, pytest.mark.integration]


def shifted(track, offset, **changes):
    return replace(track, pos_w=track.pos_w + offset, **changes)


@pytest.fixture(scope="module")
def tracks():
    robot = walking_track()
    return [robot, shifted(robot, [0.0, 0.6, 0.0], name="reference", ghost=True)]


def blue(picture):
    """Pixels that only a ghost has."""
    values = picture.astype(int)
    return (values[..., 2] - values[..., 0]) > 50


def dark(picture):
    """Pixels of a solid robot's motors, feet and head."""
    return picture.max(-1) < 100


def test_a_video_has_every_second_frame_and_robot_and_ghost_in_each(tracks, tmp_path):
    path = write_video(tmp_path / "walk.mp4", tracks, fps=50.0)
    reader = imageio.v2.get_reader(path)
    assert reader.get_meta_data()["fps"] == 25.0
    frames = [frame for frame in reader]  # list() would ask the reader for its length, which is infinite
    assert len(frames) == 10  # 20 frames at 50 Hz
    assert all(frame.shape == (480, 640, 3) for frame in frames)
    for frame in frames:
        assert blue(frame).sum() > 2000 and dark(frame).sum() > 1000
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() > 1.0
    assert [file.name for file in tmp_path.iterdir()] == ["walk.mp4"]


def test_without_a_ghost_nothing_is_blue(tracks):
    assert not blue(next(pictures(tracks[:1], fps=25.0))).any()


def test_robot_and_ghost_in_the_same_place_show_the_robot(tracks):
    alone = next(pictures(tracks[:1], fps=25.0))
    same = next(pictures([tracks[0], replace(tracks[0], name="reference", ghost=True)], fps=25.0))
    assert (alone != same).any(-1).mean() < 0.002


def test_the_ground_has_two_kinds_of_squares_and_a_shadow(tracks):
    alone = next(pictures(tracks[:1], fps=25.0)).astype(int)
    for color in GROUND_COLORS:
        assert (np.abs(alone - color).max(-1) < 4).mean() > 0.05
    airborne = next(pictures([shifted(tracks[0], [0.0, 0.0, 40.0])], fps=25.0)).astype(int)
    assert (airborne[300:].max(-1) < GROUND_COLORS.min() - 40).sum() == 0  # no robot in view, no shadow
    shade = alone[300:].max(-1) - alone[300:].min(-1) < 14  # grey as the ground
    assert (shade & (alone[300:].max(-1) < 160) & (alone[300:].min(-1) > 120)).sum() > 200


def test_the_camera_follows(tracks):
    far = [shifted(track, [100.0, 0.0, 0.0]) for track in tracks]
    here, there = (next(pictures(items, fps=25.0)).astype(int) for items in (tracks, far))
    assert np.abs(here - there).mean() < 0.5  # squares of 0.5 m repeat after 100 m


def test_the_camera_steps_back_when_robot_and_reference_part():
    walking = walking_track(num_frames=100)
    way = np.linspace(0.0, 4.0, 100)[:, None, None] * [1.0, 0.0, 0.0]
    parted = [walking, shifted(walking, way, name="reference", ghost=True)]
    for frame in (0, 50, 99):
        points = np.stack([track.pos_w[frame, 0] for track in parted])
        camera = cameras(parted, fps=50.0)[frame]
        x, y, depth = camera.to_camera(points).T
        assert (np.abs(x / depth) < 320 / camera.focal_length).all()
        assert (np.abs(y / depth) < 240 / camera.focal_length).all()


def test_a_shorter_track_stands_still_at_its_end(tracks):
    long = walking_track(num_frames=30)
    assert len(list(pictures([tracks[0].every(5), long.every(5)], fps=10.0))) == 6


def test_a_failing_encoder_leaves_the_old_video(tracks, tmp_path, monkeypatch):
    path = tmp_path / "walk.mp4"
    path.write_bytes(b"old")

    def fail(*_):
        yield np.zeros((480, 640, 3), dtype=np.uint8)
        raise RuntimeError("no picture")

    monkeypatch.setattr(video, "pictures", fail)
    with pytest.raises(RuntimeError, match="no picture"):
        write_video(path, tracks, fps=50.0)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["walk.mp4"]


def test_what_is_wrong_is_named_before_any_work(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"walk.gif should end in .mp4"):
        check_video(tmp_path / "walk.gif")
    with pytest.raises(FileNotFoundError, match="missing does not exist"):
        check_video(tmp_path / "missing" / "walk.mp4")
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(IsADirectoryError, match="it is a folder"):
        check_video(tmp_path / "folder.mp4")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="install the Python package 'imageio-ffmpeg'"):
        check_video(tmp_path / "walk.mp4")
