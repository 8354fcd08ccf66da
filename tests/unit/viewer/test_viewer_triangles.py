"""Triangles as pixels, by hand, and a robot of triangles where its capsules are."""

import numpy as np
import pytest

from whole_body_tracking.robots import G1
from whole_body_tracking.viewer.colors_and_camera import ROBOT_COLORS
from whole_body_tracking.viewer.shapes.capsules import Camera
from whole_body_tracking.viewer.shapes.triangles import draw_triangles, face_normals, robot_solid, triangles_box

pytestmark = [pytest.mark.unit, pytest.mark.integration]

CAMERA = Camera.looking_at(np.array([1.0, 0.0, 0.0]), np.zeros(3), width=40, height=30, field_of_view=np.pi / 2)
"""Looks along the world's x; a metre away a pixel is 1/15 m."""

FRONT = np.array([[0.0, -0.5, 2.0], [-0.5, 0.5, 2.0], [0.5, 0.5, 2.0]])
"""A triangle 2 m away in the camera frame, its tip up, counter-clockwise seen from the camera."""
FACE = np.array([[0, 1, 2]])


def test_a_triangle_covers_the_pixels_that_it_projects_to():
    """0.5 m at 2 m are 3.75 pixels: rows 11.25 to 18.75, in the last one columns 16.4 to 23.6. Centres: at .5."""
    surface = draw_triangles(CAMERA, FRONT, FACE)
    hit = np.isfinite(surface.depth)
    rows, columns = hit.nonzero()
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (12, 18, 16, 23)
    assert np.allclose(surface.depth[hit], 2.0) and hit.sum() == pytest.approx(0.5 * 7.5 * 7.5, abs=4)


def test_depth_between_two_corners_is_that_of_the_plane():
    """A floor from 1 to 3 m: half-way in the picture between rows of 1 and 3 m is 1.5 m, by 1/depth."""
    floor = np.array([[-2.0, 0.5, 3.0], [0.0, 0.5, 1.0], [2.0, 0.5, 3.0]])
    surface = draw_triangles(CAMERA, floor, FACE)
    row, column = 19, 20  # the floor's height of 0.5 m is seen at slope (row + 0.5 - 15) / 15 = 0.5 / depth
    assert surface.depth[row, column] == pytest.approx(0.5 * 15.0 / 4.5, rel=1e-5)


def test_the_nearer_one_is_seen_and_a_back_is_not():
    both = np.concatenate((FRONT * [1.0, 1.0, 1.5], FRONT))
    surface = draw_triangles(CAMERA, both, np.array([[0, 1, 2], [3, 4, 5]]))
    assert surface.capsule[16, 20] == 1 and surface.depth[16, 20] == pytest.approx(2.0)
    assert not np.isfinite(draw_triangles(CAMERA, FRONT, FACE[:, ::-1]).depth).any()


def test_behind_the_camera_nothing_is_drawn():
    assert not np.isfinite(draw_triangles(CAMERA, FRONT - [0.0, 0.0, 4.0], FACE).depth).any()
    assert triangles_box(CAMERA, FRONT - [0.0, 0.0, 4.0]) is None


def test_normals_point_out():
    assert face_normals(FRONT, FACE).tolist() == [[0.0, 0.0, -1.0]]  # towards the camera


def test_real_shapes_fill_about_what_their_robot_does():
    solid = robot_solid(G1, G1.body_names, ROBOT_COLORS)
    if solid is None:
        pytest.skip("example-robot-data is not installed")
    pos, quat = np.zeros((30, 3)), np.tile([0.0, 0.0, 0.0, 1.0], (30, 1))
    placed = solid.placed(pos + [2.0, 0.0, 0.0], quat)
    assert np.allclose(placed[:, 0].min(), solid.vertices[:, 0].min() + 2.0)
    surface = draw_triangles(CAMERA, CAMERA.to_camera(placed), solid.faces)
    assert 1.5 < surface.depth.min() < 2.0
