"""Measured parameters of planned walks are the wanted ones; a swapped value is noticed."""

import dataclasses

import numpy as np
import pytest
from gait_samples import clip_of, measured, planned

from whole_body_tracking.gait.analysis import measure_gait
from whole_body_tracking.gait.analysis.contacts import find_stances, sole_motion
from whole_body_tracking.gait.analysis.cycles import walking_windows
from whole_body_tracking.gait.analysis.report import gait_figure
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit
GAITS = [
    {"speed": 0.6, "cadence": 100.0},
    {"speed": 0.25, "cadence": 85.0, "step_width": 0.26, "clearance": 0.1, "turn_rate": 0.3},
]


@pytest.mark.parametrize("gait", GAITS, ids=["straight", "turning"])
def test_what_was_wanted_is_measured(gait):
    report, plan = measured(6.0, **gait), planned(6.0, **gait)
    wanted = {name: float(values.mean()) for name, values in plan.values.items()}
    assert report.mean("speed") == pytest.approx(wanted["speed"], rel=0.02)
    assert report.mean("stride_length") == pytest.approx(wanted["speed"] * 120.0 / wanted["cadence"], rel=0.02)
    assert report.mean("cadence") == pytest.approx(wanted["cadence"], rel=0.01)
    assert report.mean("step_width") == pytest.approx(wanted["step_width"], abs=0.01)
    assert report.mean("clearance") == pytest.approx(wanted["clearance"], abs=0.005)
    assert report.mean("turn_rate") == pytest.approx(wanted["turn_rate"], abs=0.01)
    assert report.mean("pelvis_height") == pytest.approx(wanted["pelvis_height"], abs=0.002)
    assert report.mean("torso_pitch") == pytest.approx(wanted["torso_pitch"], abs=0.005)
    assert report.mean("arm_swing") == pytest.approx(wanted["arm_swing"], rel=0.02)
    assert report.mean("double_support") == pytest.approx(wanted["double_support"], abs=0.05)
    assert report.mean("asymmetry") < 0.03
    assert report.mean("slip") < 0.005 and report.mean("penetration") < 0.003 and report.mean("zmp_inside") > 0.98


def edited(clip: MotionClip, **changes) -> MotionClip:
    return dataclasses.replace(clip, **changes)


def test_a_clip_played_faster_is_measured_faster():
    """Time enters speed, cadence and turn rate, not lengths: 60 fps instead of 50 is 1.2 times as fast."""
    clip, report = clip_of(planned(6.0, **GAITS[0])), measured(6.0, **GAITS[0])
    faster = measure_gait(edited(clip, fps=60.0), G1)
    assert faster.mean("speed") == pytest.approx(1.2 * report.mean("speed"), rel=0.01)
    assert faster.mean("cadence") == pytest.approx(1.2 * report.mean("cadence"), rel=0.01)
    assert faster.mean("stride_length") == pytest.approx(report.mean("stride_length"), rel=0.01)


def test_numbers_do_not_depend_on_place_and_heading():
    clip, report = clip_of(planned(6.0, **GAITS[0])), measured(6.0, **GAITS[0])
    half = np.sqrt(0.5).astype(np.float32)
    x, y, z, w = np.moveaxis(clip.body_quat_w, -1, 0)
    turned = np.stack((half * (x - y), half * (x + y), half * (z + w), half * (w - z)), -1)  # a quarter to the left
    pos = np.stack((3.0 - clip.body_pos_w[..., 1], clip.body_pos_w[..., 0] - 7.0, clip.body_pos_w[..., 2]), -1)
    moved = measure_gait(edited(clip, body_pos_w=pos, body_quat_w=turned), G1)
    for name in ("speed", "stride_length", "step_width", "clearance", "torso_pitch", "zmp_inside"):
        assert moved.mean(name) == pytest.approx(report.mean(name), abs=2e-3), name
    assert moved.mean("lateral_speed") == pytest.approx(0.0, abs=2e-3)


def test_a_sliding_foot_and_a_sunken_clip_are_measured():
    clip = clip_of(planned(6.0, **GAITS[0]))
    time = np.arange(clip.num_frames) / clip.fps
    slide = clip.body_pos_w.copy()
    slide[..., 0] += 0.03 * time[:, None].astype(np.float32)  # 3 cm/s, about 1.3 cm in a stance of 0.75 s at most 2.3
    assert 0.01 < measure_gait(edited(clip, body_pos_w=slide), G1).mean("slip") < 0.03
    sunk = clip.body_pos_w - np.array([0.0, 0.0, 0.02], dtype=np.float32)
    assert measure_gait(edited(clip, body_pos_w=sunk), G1).mean("penetration") == pytest.approx(0.02, abs=1e-3)


def test_left_and_right_swapped_turns_the_other_way():
    """Sign of turn rate: a mirrored walk turns to the right."""
    left, right = measured(4.0, speed=0.3, turn_rate=0.3), measured(4.0, speed=0.3, turn_rate=-0.3)
    assert left.mean("turn_rate") > 0.25 and right.mean("turn_rate") < -0.25


def test_who_does_not_walk_has_no_cycle():
    report = measure_gait(MotionClip.load(DEFAULT_MOTION_FILE), G1)
    assert report.cycles == [] and report.as_json()["speed"] is None


def test_stances_alternate_and_windows_hold_whole_cycles():
    stances = find_stances(sole_motion(clip_of(planned(6.0, **GAITS[0])), G1))
    (window,) = walking_windows(stances)
    assert {(a.foot, b.foot) for a, b in zip(window.stances, window.stances[1:], strict=False)} == {(0, 1), (1, 0)}
    assert np.diff([stance.start for stance in window.stances]) == pytest.approx(0.6, abs=0.02)
    assert all(first.foot == third.foot == 0 for first, _, third in window.cycles())


def test_a_plot_does_not_magnify_rounding():
    """A steady walk: axes span a tenth of their values, and ticks are the values, not differences from an offset."""
    report = measured(6.0, **GAITS[0])
    axes = {axis.get_ylabel().split("\n")[0]: axis for axis in gait_figure(report).axes}
    low, high = axes["speed"].get_ylim()
    assert low < 0.6 < high and 0.055 < high - low < 0.075
    assert not any(axis.yaxis.get_major_formatter().get_useOffset() for axis in axes.values())
    cycles = [dataclasses.replace(report.cycles[0], speed=speed) for speed in (0.2, 0.8)]
    low, high = gait_figure(dataclasses.replace(report, cycles=cycles)).axes[0].get_ylim()
    assert (low, high) == pytest.approx((0.17, 0.83))  # what changes much is shown as matplotlib would: 5 % more
