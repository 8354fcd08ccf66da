"""The page of a human motion: muscles move and change their colour in it."""

import numpy as np
import pytest
from small_human import small_human

from whole_body_tracking.human.motions.arm_raise import arm_raise
from whole_body_tracking.human.page import muscle_colors, tendon_path, write_human_page

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


def test_a_path_has_equal_steps():
    body = small_human()
    import mujoco

    data = mujoco.MjData(body.model)
    mujoco.mj_forward(body.model, data)
    path = tendon_path(data, 0, num_points=5)
    steps = np.linalg.norm(np.diff(path, axis=0), axis=-1)
    np.testing.assert_allclose(steps, data.ten_length[0] / 4, rtol=1e-9)
