"""What benchmark.py --actuators measures without a simulator."""

import numpy as np
import pytest

from whole_body_tracking.actuation.measuring import HungRobot, tracking_error
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit


def error_after(drive: str, factor: float, num_steps: int = 20) -> float:
    """Largest distance of a joint from its target [rad] after steps of 20 ms from a tenth of a radian off."""
    hung, target = HungRobot(G1, drive, 0.02, factor), np.array(G1.default_joint_pos)
    hung.model.opt.gravity[:] = 0.0
    hung.data.qpos[:] = target + 0.1
    for _ in range(num_steps):
        hung.step(target)
        if not hung.is_alive():
            return np.inf
    return float(np.abs(hung.data.qpos - target).max())


def test_the_explicit_law_diverges_where_the_others_come_to_rest():
    assert error_after("explicit", 1.0) > 1.0
    assert error_after("implicit", 10.0) < 0.05
    assert error_after("spd", 10.0) < 0.05


def test_stiffer_gains_follow_a_clip_more_closely():
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    soft, stiff = (tracking_error(G1, clip, "implicit", 0.005, factor) for factor in (1.0, 10.0))
    assert 0.01 < stiff < 0.5 * soft < 0.1
    assert tracking_error(G1, clip, "explicit", 0.02) == np.inf
