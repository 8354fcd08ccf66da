import numpy as np
import pytest

from whole_body_tracking.viewer.scene import FIELD_OF_VIEW, WINDOW_ASPECT, camera_pose

pytestmark = pytest.mark.unit

WAYS = {
    "in place": np.array([[0.0, 0.0, 0.76]]),
    "towards the camera": np.array([[0.0, 0.0, 0.76], [6.0, -5.0, 0.76]]),
    "across": np.array([[0.0, 0.0, 0.76], [5.0, 6.0, 0.76]]),
    "far from the origin": np.array([[100.0, -40.0, 0.76], [101.0, -40.0, 0.76]]),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_the_whole_way_is_in_view(way):
    look_at, position = camera_pose(way)
    forward = (look_at - position) / np.linalg.norm(look_at - position)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    depth = (way - position) @ forward
    sideways = (way - position) @ (right / np.linalg.norm(right))
    assert (depth > 2.0).all()
    assert (np.abs(sideways) <= depth * WINDOW_ASPECT * np.tan(FIELD_OF_VIEW / 2.0)).all()
