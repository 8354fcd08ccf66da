"""A walk on the robot: how near it comes, and what must hold whatever the file looks like."""

import dataclasses
import json

import numpy as np
import pytest
import torch
import yaml
from mocap_samples import walking_person

from whole_body_tracking.mocap import RetargetSettings, read_mocap, retarget, robot_figure, write_bvh
from whole_body_tracking.mocap.figure import ROBOT_TABLE_DIR
from whole_body_tracking.mocap.page import retarget_tracks
from whole_body_tracking.mocap.report import report_json
from whole_body_tracking.robots import G1, RobotModel

pytestmark = [pytest.mark.unit, pytest.mark.integration]


def test_walk_is_followed(walk):
    report, quality = walk.report, walk.report.quality
    assert all(error < 1.5 for error in report.position_error_cm.values())  # [cm]
    assert report.foot_skate < 0.01 and report.foot_skate_p95 < 0.05  # [m/s]
    assert report.penetration_mm < 2.0 and report.self_overlap_mm < 5.0
    assert quality.joint_limit_violations == quality.joint_speed_violations == quality.jumps == 0


def test_scale_and_way(walk, g1_figure):
    """The person's legs measure 0.83 m; it walks at 1 m/s for 2 s."""
    assert walk.targets.scale == pytest.approx(g1_figure.leg_length / 0.83, rel=1e-3)
    root = walk.clip.body_pos_w[:, 0]
    assert np.allclose(root[0, :2], 0.0, atol=0.02)
    assert np.linalg.norm(root[-1, :2] - root[0, :2]) == pytest.approx(2.0 * walk.targets.scale, abs=0.02)
    assert (walk.clip.fps, walk.clip.num_frames) == (50.0, 101)


def test_standing_feet_do_not_move(walk):
    """Heels stay where they are for as long as the person's stand."""
    foot = walk.clip.body_names.index("left_ankle_roll_link")
    stands = (walk.targets.contact["left_heel"] & walk.targets.contact["left_toe"]).numpy()
    both = stands[1:] & stands[:-1]
    steps = np.linalg.norm(np.diff(walk.clip.body_pos_w[:, foot], axis=0), axis=-1)
    assert both.sum() > 20 and np.median(steps[both]) < 0.0005  # [m per frame]


def test_swinging_soles_clear_the_ground(walk):
    stands = (walk.targets.contact["left_heel"] | walk.targets.contact["left_toe"]).numpy()
    assert float(walk.targets.floor[:, 0].max()) == pytest.approx(0.02)
    assert (walk.targets.floor[stands, 0] == 0.0).all()


def test_unit_does_not_matter(walk, g1_figure, tmp_path):
    motion = walking_person()
    small = dataclasses.replace(motion, offsets=motion.offsets * 0.01, root_pos=motion.root_pos * 0.01)
    again = retarget(read_mocap(write_bvh(small, tmp_path / "walk.bvh")), g1_figure)
    assert np.abs(again.clip.joint_pos - walk.clip.joint_pos).max() < 0.01


def test_joints_stay_inside_their_limits(walk_bvh, g1_figure):
    """A person who bends the knees backwards more than the robot can."""
    file = read_mocap(walk_bvh)
    local = file.motion.local_quat.copy()
    for name in ("LeftLeg", "RightLeg"):
        local[:, file.motion.index(name)] = [-0.5, 0.0, 0.0, 0.75**0.5]
    result = retarget(dataclasses.replace(file, motion=dataclasses.replace(file.motion, local_quat=local)), g1_figure)
    assert result.report.quality.joint_limit_violations == 0 and result.report.limit_hits > 0


def test_smoothness_weight_smooths(walk_bvh, g1_figure):
    """Shaking hands at the frame rate: more weight, less joint acceleration."""
    file = read_mocap(walk_bvh)
    local = file.motion.local_quat.copy()
    arm, angle = file.motion.index("LeftForeArm"), 0.2 * (-1.0) ** (np.arange(file.motion.num_frames) // 2)
    local[:, arm] = np.stack((0 * angle, np.sin(angle / 2), 0 * angle, np.cos(angle / 2)), axis=-1)
    file = dataclasses.replace(file, motion=dataclasses.replace(file.motion, local_quat=local))
    rough = []
    for weight in (0.0, 5.0):
        settings = RetargetSettings()
        settings = dataclasses.replace(settings, weights=dataclasses.replace(settings.weights, smoothness=weight))
        rough.append(np.abs(np.diff(retarget(file, g1_figure, settings).clip.joint_pos, 2, axis=0)).mean())
    assert rough[1] < 0.5 * rough[0]


def test_report_as_json(walk):
    content = json.loads(report_json([walk.report], is_folder=False))
    assert list(content) == ["frames_per_s", "position_error_cm", "foot_skate", "penetration_mm", "limit_hits"]
    assert list(content["position_error_cm"]) == ["hands", "feet", "head"]
    folder = json.loads(report_json([walk.report, walk.report], is_folder=True))
    assert folder["limit_hits"] == 2 * content["limit_hits"] and folder["foot_skate"] == content["foot_skate"]


def test_skeleton_beside_the_robot(walk):
    robot, person = retarget_tracks(walk, G1)
    distance = np.linalg.norm(person.pos_w[:, 0, :2] - robot.pos_w[:, 0, :2], axis=-1)
    assert np.abs(distance - 1.1).max() < 0.1  # side by side over the whole way
    assert float(person.pos_w[..., 2].min()) == pytest.approx(0.0, abs=1e-6)


def test_any_robot_with_a_table(walk_bvh, tmp_path):
    other = RobotModel(G1.facts | {"name": "other"})
    with pytest.raises(FileNotFoundError, match=r"other.yaml does not exist. Packaged robots: \['g1'\].*--robot_table"):
        robot_figure(other)
    result = retarget(read_mocap(walk_bvh), robot_figure(other, ROBOT_TABLE_DIR / "g1.yaml"))
    assert result.clip.source["robot"] == "other"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["points"].pop("left_knee"), r"`points` lacks \['left_knee'\]"),
        (lambda c: c["points"].update(left_knee=["shin"]), r"g1 has no bodies \['shin'\]"),
        (lambda c: c["points"].update(left_knee=["left_knee_link", 1]), r"points \['left_knee'\] should be written"),
        (lambda c: c.pop("frames"), "`frames` lacks"),
    ],
)
def test_wrong_robot_table_is_refused(tmp_path, change, message):
    content = yaml.safe_load((ROBOT_TABLE_DIR / "g1.yaml").read_text())
    change(content)
    (tmp_path / "g1.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(ValueError, match=message):
        robot_figure(G1, tmp_path / "g1.yaml")


def test_bone_without_length_is_refused(walk_bvh, g1_figure):
    file = read_mocap(walk_bvh)
    offsets = file.motion.offsets.copy()
    offsets[file.motion.index("LeftHand")] = 0.0
    file = dataclasses.replace(file, motion=dataclasses.replace(file.motion, offsets=offsets))
    with pytest.raises(ValueError, match="from 'LeftForeArm' .* to 'LeftHand' .* is shorter than 1 mm"):
        retarget(file, g1_figure)


def test_wrong_settings_are_refused(walk_bvh, g1_figure):
    with pytest.raises(ValueError, match="Unknown solver: 'gmr'. Known: lm, mink"):
        RetargetSettings(solver="gmr")
    with pytest.raises(ValueError, match="output rate is 0 fps, expected 1 to 1000"):
        RetargetSettings(output_fps=0.0)


def test_mink_agrees(walk, walk_bvh, g1_figure):
    """Frame by frame without contacts' weight, the same targets lead near the same poses."""
    pytest.importorskip("mink")
    file = read_mocap(walk_bvh)
    short = dataclasses.replace(file.motion, local_quat=file.motion.local_quat[:21], root_pos=file.motion.root_pos[:21])
    other = retarget(dataclasses.replace(file, motion=short), g1_figure, RetargetSettings(solver="mink"))
    ours = retarget(dataclasses.replace(file, motion=short), g1_figure)
    distance = torch.from_numpy(other.clip.body_pos_w - ours.clip.body_pos_w).norm(dim=-1)
    assert float(distance.median()) < 0.02  # [m]
