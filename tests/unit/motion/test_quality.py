"""Numbers about clips, each against a case worked out by hand."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from motion_samples import standing, sway

from whole_body_tracking.motion import convert, quality_report, read_csv
from whole_body_tracking.motion.analysis.quality import support_margin
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

STANDING_HEIGHT = 0.757
"""Root height at which the soles of the default pose touch the ground [m] (design.md section 8)."""


def report(raw=None, height=STANDING_HEIGHT, shift=(0.0, 0.0, 0.0), joint_pos=None):
    """Report on a standing robot, moved by ``shift`` metres per second."""
    raw = raw or standing()
    time = np.arange(raw.num_frames)[:, None] / raw.fps
    root_pos = raw.root_pos * (1.0, 1.0, 0.0) + (0.0, 0.0, height) + time * shift
    changes = {"root_pos": root_pos} | ({} if joint_pos is None else {"joint_pos": joint_pos})
    return quality_report(convert(dataclasses.replace(raw, **changes)))


def test_standing_still_is_faultless():
    found = report()
    assert found.joint_limit_violations == found.joint_speed_violations == found.jumps == 0
    assert found.foot_skate_p95_m_s < 1e-6 and found.airtime_share == 0.0 and found.worst_speed_ratio < 1e-6
    assert abs(found.lowest_sole_m) < 1e-3
    assert found.balance_margin_min_m > 0.02 and found.unbalanced_share == 0.0


def test_limit_violations_are_counted_and_located():
    joint_pos = standing().joint_pos.copy()
    knee = G1.joint_names.index("right_knee_joint")
    joint_pos[10:13, knee] = G1.joint_pos_limits[knee, 1] + 0.25
    found = report(joint_pos=joint_pos)
    assert found.joint_limit_violations == 3 and found.worst_limit_joint == "right_knee_joint"
    assert found.worst_limit_excess_rad == pytest.approx(0.25, abs=1e-5)


def test_speed_violations_are_counted_and_located():
    joint_pos = standing().joint_pos.copy()
    wrist = G1.joint_names.index("left_wrist_yaw_joint")
    joint_pos[20:, wrist] += 1.0
    found = report(joint_pos=joint_pos)
    # 1 rad within one frame: central differences spread it over two frames at 25 rad/s each, the limit is 22.
    assert found.joint_speed_violations == 2 and found.worst_speed_joint == "left_wrist_yaw_joint"
    assert found.worst_speed_ratio == pytest.approx(25.0 / 22.0, rel=1e-4)


def test_sliding_feet_are_measured():
    found = report(shift=(0.3, 0.0, 0.0))
    assert found.foot_skate_median_m_s == pytest.approx(0.3, rel=1e-3)
    assert found.foot_skate_p95_m_s == pytest.approx(0.3, rel=1e-3)


def test_feet_in_the_air_do_not_skate():
    root_pos = np.tile((0.0, 0.0, STANDING_HEIGHT), (51, 1))
    root_pos[10:, 0], root_pos[10:, 2] = 2.0 / 50 * np.arange(41), STANDING_HEIGHT + 0.05
    found = quality_report(convert(dataclasses.replace(standing(), root_pos=root_pos)))
    assert found.foot_skate_p95_m_s < 1e-6 and found.max_root_speed_m_s > 1.9


def test_penetration_is_measured():
    found = report(height=STANDING_HEIGHT - 0.03)
    assert found.sole_penetration_max_m == pytest.approx(0.03, abs=1e-3)
    assert found.body_penetration_max_m == pytest.approx(0.03, abs=1e-3)
    assert found.deepest_body in G1.foot_body_names


def test_a_hand_below_the_ground_is_no_sole():
    found = report(raw=standing(), height=0.2)
    assert found.body_penetration_max_m >= found.sole_penetration_max_m > 0.5


def test_flight_is_measured():
    rising = report(shift=(0.0, 0.0, 0.1))
    # At 0.1 m/s the soles pass 2 cm after 0.2 s, which is frame 10 of 51.
    assert rising.airtime_share == pytest.approx(1.0 - 10 / 51, abs=1.5 / 51)
    assert report(height=1.5).airtime_share == 1.0


def test_nothing_to_report_in_the_air():
    found = report(height=1.5)
    assert found.foot_skate_median_m_s == 0.0 and np.isnan(found.balance_margin_min_m)
    assert "nan" in found.render()


def test_jumps_are_counted():
    root_pos = np.tile((0.0, 0.0, STANDING_HEIGHT), (51, 1))
    root_pos[25:, 0] += 0.5
    found = quality_report(convert(dataclasses.replace(standing(), root_pos=root_pos)))
    assert found.jumps == 1 and found.max_root_speed_m_s == pytest.approx(25.0, rel=1e-4)
    turned = standing().root_quat.copy()
    turned[25:] = (0.0, 0.0, 1.0, 0.0)
    found = quality_report(convert(dataclasses.replace(standing(), root_quat=turned)))
    assert found.jumps == 1 and found.max_root_turn_rad_s == pytest.approx(np.pi * 50, rel=1e-4)


def test_support_margin_of_a_square():
    square = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]).expand(3, 4, 2)
    com = torch.tensor([[0.0, 0.0], [0.7, 0.2], [1.5, 0.0]])
    contact = torch.ones(3, 4, dtype=torch.bool)
    # Distances to the nearest side: 1, 1 - 0.7, and 0.5 outside.
    torch.testing.assert_close(support_margin(com, square, contact), torch.tensor([1.0, 0.3, -0.5]))
    contact[:, 2:] = False  # only the side x = -1 carries: a line has no inside
    assert (support_margin(com, square, contact) < 1e-6).all()


def test_leaning_out_of_the_support_is_seen():
    quat = np.tile((0.0, np.sin(0.15), 0.0, np.cos(0.15)), (51, 1))
    found = quality_report(convert(dataclasses.replace(standing(), root_quat=quat), ground=True))
    assert found.balance_margin_min_m < 0.0 and found.unbalanced_share == 1.0


def test_report_is_plain_json_and_a_short_table():
    found = report(raw=sway(), height=0.8)
    assert json.loads(json.dumps(found.as_dict()))["name"] == "clip"
    assert all(len(line) <= 120 for line in found.render().splitlines())


def test_clip_of_another_robot_is_refused(clip):
    with pytest.raises(ValueError, match="is not a clip of g1"):
        quality_report(dataclasses.replace(clip, joint_names=[f"x_{name}" for name in clip.joint_names]))


def test_known_airtime_of_a_real_clip(lafan1):
    found = quality_report(convert(read_csv(lafan1 / "jumps1_subject1.csv", fps=30, frame_range=(228, 527))))
    assert found.airtime_share == pytest.approx(0.39, abs=0.05)
    assert found.joint_limit_violations == found.joint_speed_violations == found.jumps == 0
