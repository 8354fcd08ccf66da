"""The page of a human motion: muscles move and change their colour in it."""

from types import SimpleNamespace

import numpy as np
import pytest
from small_human import small_human

from whole_body_tracking.human.motions.arm_raise import arm_raise
from whole_body_tracking.human.page import _Muscles, as_line_colors, muscle_colors, tendon_path, write_human_page

pytestmark = pytest.mark.integration


def test_a_page_holds_paths_and_colors(tmp_path):
    body = small_human()
    motion = arm_raise(body, 10.0)
    still = np.zeros((motion.num_frames, body.model.nu))
    busy = np.linspace(0.0, 1.0, still.size).reshape(still.shape)
    sizes = []
    for name, activation in (("still", still), ("busy", busy)):
        path = write_human_page(tmp_path / f"{name}.html", body, motion, activation)
        content = path.read_text()
        assert "arm_raise: activations" in content
        sizes.append(len(content))
    assert sizes[1] > sizes[0] + 1000  # the same motion, but the colours change


def test_colors_by_hand():
    colors = muscle_colors(np.array([0.0, 0.3, 0.6, 1.0]))
    assert colors.tolist() == [[70, 90, 150], [152, 60, 90], [235, 30, 30], [235, 30, 30]]


def test_line_colors_are_linear_light_by_hand():
    """255 ((235 / 255 + 0.055) / 1.055)^2.4 = 212, 255 ((30 / 255 + 0.055) / 1.055)^2.4 = 3, 10 / 12.92 = 0.8."""
    assert as_line_colors(np.array([[235, 30, 10], [0, 255, 0]])).tolist() == [[212, 3, 1], [0, 255, 0]]


def test_lines_are_drawn_in_them():
    given = {}
    scene = SimpleNamespace(add_line_segments=lambda name, **rest: given.update(rest))
    _Muscles(scene, np.zeros((1, 2, 3, 3)), muscle_colors(np.array([[0.0, 0.6]])))
    assert given["colors"].tolist() == [[[16, 26, 78]] * 2] * 2 + [[[212, 3, 3]] * 2] * 2  # two pieces a muscle


def test_a_path_has_equal_steps():
    body = small_human()
    import mujoco

    data = mujoco.MjData(body.model)
    mujoco.mj_forward(body.model, data)
    path = tendon_path(data, 0, num_points=5)
    steps = np.linalg.norm(np.diff(path, axis=0), axis=-1)
    np.testing.assert_allclose(steps, data.ten_length[0] / 4, rtol=1e-9)
