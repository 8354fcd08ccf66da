"""Left and right of the G1, against its forward kinematics."""

from pathlib import Path

import numpy as np
import pytest
import torch

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.motion.conversion.batch import ConversionJob
from whole_body_tracking.motion.conversion.mirror import mirrored
from whole_body_tracking.motion.geometry.kinematics import forward_kinematics
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.model import RobotModel
from whole_body_tracking.robots.symmetry import mirrored_indices, mirrored_joints, mirrored_name

pytestmark = pytest.mark.unit


def test_names():
    assert mirrored_name("left_hip_pitch_joint") == "right_hip_pitch_joint"
    assert mirrored_name("right_wrist_yaw_link") == "left_wrist_yaw_link"
    assert mirrored_name("waist_yaw_joint") == "waist_yaw_joint"


def test_rolls_and_yaws_change_their_sign():
    mirror = mirrored_joints(G1, G1.joint_names)
    negative = {name for name, sign in zip(G1.joint_names, mirror.signs, strict=True) if sign < 0}
    assert negative == {name for name in G1.joint_names if "roll" in name or "yaw" in name}


def test_a_mirrored_pose_has_mirrored_bodies():
    torch.manual_seed(0)
    joints, bodies = mirrored_joints(G1, G1.joint_names), mirrored_indices(G1.body_names)
    pose = torch.rand(16, 29, dtype=torch.float64) - 0.5
    root_pos = torch.randn(16, 3, dtype=torch.float64)
    root_quat = torch.nn.functional.normalize(torch.randn(16, 4, dtype=torch.float64), dim=-1)
    pos, quat = forward_kinematics(G1, root_pos, root_quat, pose)
    vector, quaternion = torch.tensor([1.0, -1.0, 1.0]), torch.tensor([-1.0, 1.0, -1.0, 1.0])
    image = pose[:, joints.indices] * torch.tensor(joints.signs)
    image_pos, image_quat = forward_kinematics(G1, root_pos * vector, root_quat * quaternion, image)
    assert (image_pos - (pos * vector)[:, bodies]).abs().max() < 1e-4  # the G1's own sides differ by 0.01 mm
    cosines = (image_quat * (quat * quaternion)[:, bodies]).sum(-1).abs()
    assert cosines.min() > 1.0 - 1e-9


def test_a_robot_with_one_arm_has_no_mirror_image():
    with pytest.raises(ValueError, match="left_elbow_joint, but no right_elbow_joint"):
        mirrored_indices(["left_elbow_joint"])


def test_a_crooked_robot_has_no_mirror_image():
    facts = G1.facts | {"bodies": dict(G1.facts["bodies"])}
    name = G1.body_names[1]
    facts["bodies"][name] = facts["bodies"][name] | {"joint_axis": [0.0, 0.8, 0.6]}
    with pytest.raises(ValueError, match="is no mirror image of"):
        mirrored_joints(RobotModel(facts), G1.joint_names)


def test_a_clip_and_its_mirror_image():
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    target = np.tile(np.arange(29, dtype=np.float32), (clip.num_frames, 1))
    clip = MotionClip(
        **{key: getattr(clip, key) for key in ("fps", "joint_names", "body_names", "joint_pos", "joint_vel")},
        **{key: getattr(clip, key) for key in ("body_pos_w", "body_quat_w", "body_lin_vel_w", "body_ang_vel_w")},
        channels={"joint_target": target, "contact_flags": np.zeros((clip.num_frames, 2))},
    )
    image = mirrored(clip, "g1")
    left, right = (clip.joint_names.index(f"{side}_hip_roll_joint") for side in ("left", "right"))
    assert np.array_equal(image.joint_pos[:, left], -clip.joint_pos[:, right])
    assert (image.channels["joint_target"][:, left] == -right).all()
    assert set(image.channels) == {"joint_target"}
    foot, other = (clip.body_names.index(f"{side}_ankle_roll_link") for side in ("left", "right"))
    assert np.array_equal(image.body_ang_vel_w[:, foot], clip.body_ang_vel_w[:, other] * [-1, 1, -1])
    again = mirrored(image, "g1")
    assert again.digest == clip.digest
    assert image.digest != clip.digest


def test_conversion_can_mirror(tmp_path):
    source = Path(__file__).parents[3] / "motions" / "squat.csv"
    plain, image = (ConversionJob(source, 30.0, mirror=mirror).convert(source) for mirror in (False, True))
    assert mirrored(plain, "g1").digest == image.digest != plain.digest
