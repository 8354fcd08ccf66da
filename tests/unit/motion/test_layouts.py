"""Nameless files of BeyondMimic and mjlab."""

import numpy as np
import pytest

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.clip import ARRAYS
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

ORDERS = {
    "beyondmimic": (G1.joint_names_breadth_first, G1.body_names_breadth_first),
    "mjlab": (G1.joint_names, G1.body_names),
}


def write_nameless(clip, path, layout, **changes):
    """The same motion as that project writes it: its order, w first, velocities that must not be trusted."""
    joints, bodies = clip.joint_indices(ORDERS[layout][0]), clip.body_indices(ORDERS[layout][1])
    content = {
        "fps": np.array([clip.fps]),
        "joint_pos": clip.joint_pos[:, joints],
        "joint_vel": np.full_like(clip.joint_vel, 7.0),
        "body_pos_w": clip.body_pos_w[:, bodies],
        "body_quat_w": clip.body_quat_w[:, bodies][..., [3, 0, 1, 2]],
        "body_lin_vel_w": np.full_like(clip.body_lin_vel_w, 7.0),
        "body_ang_vel_w": np.full_like(clip.body_ang_vel_w, 7.0),
    } | changes
    np.savez(path, **{key: value for key, value in content.items() if value is not None})
    return path


@pytest.mark.parametrize("layout", ORDERS)
def test_requested_layout_is_read_with_recomputed_velocities(clip, tmp_path, layout):
    read = MotionClip.load(write_nameless(clip, tmp_path / "old.npz", layout), layout=layout)
    assert (read.joint_names, read.body_names, read.fps) == (clip.joint_names, clip.body_names, clip.fps)
    for key in ARRAYS:
        # Velocities come from poses that were rounded to float32: 1e-7 m over 1/50 s.
        np.testing.assert_allclose(getattr(read, key), getattr(clip, key), atol=1e-4 if "vel" in key else 1e-6)


@pytest.mark.parametrize(("stored", "asked"), [("beyondmimic", "mjlab"), ("mjlab", "beyondmimic")])
def test_wrong_layout_is_found_out(clip, tmp_path, stored, asked):
    path = write_nameless(clip, tmp_path / "old.npz", stored)
    with pytest.raises(ValueError, match=rf"does not fit layout '{asked}'.*Other layouts: {stored} 0\.000 m"):
        MotionClip.load(path, layout=asked)


def test_unknown_layout(clip, tmp_path):
    path = write_nameless(clip, tmp_path / "old.npz", "mjlab")
    with pytest.raises(ValueError, match=r"Unknown layout 'mjx'. Known layouts: \['beyondmimic', 'mjlab'\]"):
        MotionClip.load(path, layout="mjx")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"body_pos_w": None}, r"lacks \['body_pos_w'\]"),
        ({"joint_pos": np.zeros((51, 23))}, r"joint_pos has shape \[51, 23\], but layout 'mjlab' of g1 has \[51, 29\]"),
        ({"body_quat_w": np.zeros((51, 30, 4))}, "body_quat_w is not unit"),
        ({"body_pos_w": np.full((51, 30, 3), np.nan)}, "body_pos_w holds values that are not finite"),
        ({"fps": np.array([50, 50])}, "expected one fps"),
    ],
)
def test_bad_content(clip, tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        MotionClip.load(write_nameless(clip, tmp_path / "old.npz", "mjlab", **changes), layout="mjlab")
