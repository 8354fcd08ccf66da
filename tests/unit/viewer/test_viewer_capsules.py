"""Capsules as pixels, compared with geometry."""

import numpy as np
import pytest

from whole_body_tracking.viewer.shapes.capsules import Camera, capsule_box, draw_capsules, normals

pytestmark = pytest.mark.unit

ALONG_X = Camera.looking_at(np.array([3.0, 0.0, 0.0]), np.zeros(3), width=161, height=121, field_of_view=0.8)
"""At the origin, looking along +X; the middle of the picture is the middle of a pixel."""


def draw(start, end, radius, camera=ALONG_X):
    ends = camera.to_camera(np.array([[start], [end]], dtype=float))
    return draw_capsules(camera, *ends, np.array([radius])), ends


def test_right_is_minus_y_and_down_is_minus_z():
    np.testing.assert_allclose(ALONG_X.to_camera(np.array([3.0, -1.0, -2.0])), [1.0, 2.0, 3.0], atol=1e-12)


def test_a_sphere_is_met_a_radius_before_its_centre():
    surface, _ = draw([3.0, 0.0, 0.0], [3.0, 0.0, 0.0], 0.5)
    assert surface.depth[60, 80] == pytest.approx(2.5, abs=1e-5)
    # Outline of a sphere: its slope is r / sqrt(d^2 - r^2).
    half_width = 0.5 / np.sqrt(3.0**2 - 0.5**2) * ALONG_X.focal_length
    assert np.isfinite(surface.depth[60]).sum() == pytest.approx(2.0 * half_width, abs=1.5)


def test_a_capsule_is_the_hull_of_its_spheres():
    start, end, radius = np.array([2.5, 0.3, 0.2]), np.array([3.5, -0.4, -0.1]), 0.15
    surface, _ = draw(start, end, radius)
    spheres = [start + share * (end - start) for share in np.linspace(0.0, 1.0, 400)]
    hull = np.min([draw(center, center, radius)[0].depth for center in spheres], axis=0)
    seen = np.isfinite(surface.depth)
    assert seen.sum() > 300
    assert (seen != np.isfinite(hull)).sum() < 0.02 * seen.sum()  # pixels that the outline just touches
    both = seen & np.isfinite(hull)
    difference = np.abs(surface.depth[both] - hull[both])
    assert difference.max() < 0.02 and np.median(difference) < 1e-4


def test_normals_are_unit_and_point_at_the_camera():
    surface, ends = draw([2.5, 0.3, 0.2], [3.5, -0.4, -0.1], 0.15)
    normal = normals(surface, np.isfinite(surface.depth), ALONG_X, *ends, np.array([0.15]))
    np.testing.assert_allclose(np.linalg.norm(normal, axis=-1), 1.0, atol=1e-3)
    rows, columns = np.isfinite(surface.depth).nonzero()
    x, y = ALONG_X.rays()
    rays = np.stack((x[columns], y[rows], np.ones(len(rows))), axis=-1)
    assert ((normal * rays).sum(-1) < 0.02).all()


def test_the_nearer_capsule_hides_the_other():
    ends = ALONG_X.to_camera(np.array([[4.0, 0.0, 0.0], [3.0, 0.0, 0.0]]))
    surface = draw_capsules(ALONG_X, ends, ends, np.array([0.3, 0.3]))
    assert surface.capsule[60, 80] == 1


def test_nothing_is_drawn_behind_or_beside_the_camera():
    for center in ([-3.0, 0.0, 0.0], [0.1, 0.0, 0.0], [3.0, 9.0, 0.0]):
        assert not np.isfinite(draw(center, center, 0.2)[0].depth).any()


def test_a_part_of_the_view_shows_the_same():
    ends = ALONG_X.to_camera(np.array([[3.0, 0.4, 0.3], [3.0, 0.2, -0.1]]))
    whole = draw_capsules(ALONG_X, ends[:1], ends[1:], np.array([0.2]))
    box = capsule_box(ALONG_X, ends[0], ends[1], 0.2)
    part = draw_capsules(ALONG_X.cropped(box), ends[:1], ends[1:], np.array([0.2]))
    np.testing.assert_allclose(part.depth, whole.depth[box.rows, box.columns], atol=1e-5)
    assert np.isfinite(part.depth).sum() == np.isfinite(whole.depth).sum() > 0
