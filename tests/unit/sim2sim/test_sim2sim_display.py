"""What pictures need is checked first and named; robot and ghost stand where their clips have them."""

import numpy as np
import pytest

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.robots import G1
from whole_body_tracking.sim2sim.display import require_display
from whole_body_tracking.sim2sim.show import GHOST, Stage

pytestmark = pytest.mark.unit


def test_robot_and_ghost_stand_where_their_clips_have_them():
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    stage = Stage(G1, clip, clip)
    for frame in (0, 70, clip.num_frames - 1):
        stage.show(frame)
        for prefix, shown in (("", frame), (GHOST, min(frame + 1, clip.num_frames - 1))):
            pos = np.stack([stage.data.body(prefix + name).xpos for name in clip.body_names])
            np.testing.assert_allclose(pos, clip.body_pos_w[shown], atol=1e-5, err_msg=f"{prefix}{frame}")


def test_ghosts_are_translucent_and_touch_nothing():
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    model = Stage(G1, clip, clip).model
    for index in range(1, model.nbody):
        body = model.body(index)
        geoms = range(body.geomadr[0], body.geomadr[0] + body.geomnum[0])
        alphas = {round(float(model.geom_rgba[geom, 3]), 3) for geom in geoms}
        assert alphas <= ({0.4} if body.name.startswith(GHOST) else {1.0}), body.name


def test_viewer_without_a_display_is_refused(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(ValueError, match=r"--viewer needs a display.*played.html"):
        require_display()
    monkeypatch.setenv("DISPLAY", ":0")
    require_display()
