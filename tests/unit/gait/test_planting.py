"""Standing feet are planted: shares of the support by hand, and a planned walk whose root was disturbed."""

import numpy as np
import pytest
from gait_samples import clip_of, planned

from whole_body_tracking.gait.analysis import measure_gait
from whole_body_tracking.gait.network.layout import RootMotion
from whole_body_tracking.gait.network.planting import planted, support_of_left
from whole_body_tracking.motion import RawMotion, convert
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit


def test_support_goes_over_while_both_stand():
    """With a double support of 0.24 both stand over 0.12 of the cycle from each touchdown."""
    phase = np.array([0.0, 0.06, 0.12, 0.3, 0.5, 0.53, 0.62, 0.9])
    found = support_of_left(phase, np.full(8, 0.24))
    assert found.tolist() == pytest.approx([0.0, 0.5, 1.0, 1.0, 1.0, 0.75, 0.0, 0.0])


def test_a_walk_whose_root_drifts_and_bobs_is_put_right():
    """5 cm/s of drift and 1 cm of height slide every sole by centimetres; the plan itself is found again."""
    plan = planned(4.0, speed=0.5, cadence=100.0, turn_rate=0.2)
    time = np.arange(len(plan.root_pos)) / plan.fps
    off = np.stack((0.05 * time, -0.03 * time, 0.01 * np.sin(9.0 * time)), axis=-1)
    drifting = RootMotion(plan.root_pos + off, plan.root_quat, plan.joint_pos)
    right = planted(G1, drifting, plan.phase, plan.values["double_support"][:1].repeat(len(time)))
    raw = RawMotion(plan.fps, right.pos, right.quat, right.joint_pos, G1.joint_names)
    report, wanted = measure_gait(convert(raw, plan.fps), G1), measure_gait(clip_of(plan), G1)
    assert report.mean("slip") < 0.006 and report.mean("penetration") < 0.004
    assert report.mean("speed") == pytest.approx(wanted.mean("speed"), rel=0.01)
    assert np.abs(right.pos[:, 2] - plan.root_pos[:, 2]).max() < 0.004
    slid = RawMotion(plan.fps, drifting.pos, drifting.quat, drifting.joint_pos, G1.joint_names)
    assert measure_gait(convert(slid, plan.fps), G1).mean("slip") > 0.02
