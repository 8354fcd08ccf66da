import numpy as np
import pytest

from whole_body_tracking.robots import G1
from whole_body_tracking.viewer.colors_and_camera import CLEARANCE
from whole_body_tracking.viewer.following import followed, relative_size
from whole_body_tracking.viewer.scene import FIELD_OF_VIEW, camera_pose
from whole_body_tracking.viewer.tracks import Track

pytestmark = pytest.mark.unit

FPS = 30.0


def track(name: str, way: np.ndarray) -> Track:
    """A root that takes a way [m], shape [num_frames, 3]."""
    quat = np.tile([0.0, 0.0, 0.0, 1.0], (len(way), 1, 1))
    return Track(name, G1, G1.body_names[:1], way[:, None], quat)


def walk(num_frames: int = 300, offset: float = 0.0) -> np.ndarray:
    """1 m/s along x."""
    x = np.arange(num_frames) / FPS
    return np.column_stack((x, np.full(num_frames, offset), np.full(num_frames, 0.76)))


def test_a_robot_that_walks_stays_in_the_middle():
    places, distances = followed([track("robot", walk())], FPS)
    assert np.abs(places[:, 0] - walk()[:, 0]).max() < 0.35  # [m]; the ends of the way are smoothed
    assert np.abs(places[60:-60, 0] - walk()[60:-60, 0]).max() < 1e-3
    assert np.allclose(distances, CLEARANCE)


def test_two_robots_that_part_are_both_in_view():
    places, distances = followed([track("robot", walk(offset=-1.0)), track("ghost", walk(offset=1.0))], FPS)
    assert np.allclose(places[:, 1], 0.0, atol=1e-6) and np.allclose(distances, CLEARANCE + 2.0)


def test_a_track_that_has_ended_stays_where_it_was():
    places, _ = followed([track("robot", walk(2)), track("ghost", walk(300))], FPS)
    assert places[-1, 0] == pytest.approx(walk(300)[-1, 0] / 2.0, abs=0.2)


def test_a_standing_robot_fills_the_height_with_some_room():
    look_at, position = camera_pose(CLEARANCE)
    away = np.linalg.norm(position - look_at)
    seen = 2.0 * away * np.tan(FIELD_OF_VIEW / 2.0)
    assert 1.7 < seen < 2.8  # [m] in a picture of a robot of 1.3 m
    assert position[2] > look_at[2] > 0.6


def test_a_person_is_in_view_with_room_above():
    """A root 1 m above the ground is 1.25 times a robot's 0.8 m; a robot that crouches is not made larger."""
    person, crouching = walk() + [0.0, 0.0, 0.24], walk() - [0.0, 0.0, 0.4]
    assert relative_size([track("robot", crouching)]) == 1.0
    size = relative_size([track("robot", crouching), track("person", person)])
    assert size == pytest.approx(1.25)
    (look_at, position), (robot_at, robot_from) = camera_pose(CLEARANCE, size), camera_pose(CLEARANCE)
    assert np.allclose(look_at, 1.25 * robot_at) and np.allclose(position - look_at, 1.25 * (robot_from - robot_at))
