"""The page on which a walk by command is steered."""

import pytest
import viser

from whole_body_tracking.locomotion.command import CommandRanges, VelocityCommand
from whole_body_tracking.sim2sim.live_walk import Steering, _add_controls

pytestmark = [pytest.mark.unit, pytest.mark.integration]


def test_sliders_follow_keys():
    server = viser.ViserServer(host="127.0.0.1", port=0, verbose=False)
    try:
        ranges = CommandRanges((-0.3, 1.0), (-0.3, 0.3), (-1.0, 1.0), (-3.141593, 3.141593), 1.0)
        steering = Steering(VelocityCommand(), ranges)
        sliders, _ = _add_controls(server, steering, [])
        for name in ("forward", "forward", "right", "turn left"):
            steering.press(name)
        for slider in sliders:
            slider.follow()
        assert [slider.handle.value for slider in sliders] == pytest.approx([0.2, -0.1, 0.2])
        sliders[0].move(0.7)
        assert steering.command.vx == 0.7 and steering.command.vy == -0.1 and sliders[2].handle.max == 3.14
    finally:
        server.stop()
