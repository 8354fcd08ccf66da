"""Conversion of a raw motion to a clip."""

import dataclasses

import numpy as np
import pytest
import torch
from motion_samples import standing, sway

from whole_body_tracking.motion import convert, read_csv
from whole_body_tracking.motion.geometry.ground import foot_points, sole_height_of_clip
from whole_body_tracking.motion.geometry.kinematics import forward_kinematics
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit


def test_bodies_are_where_kinematics_puts_them(raw):
    clip = convert(raw, output_fps=30)
    pos, quat = forward_kinematics(G1, *map(torch.from_numpy, (raw.root_pos, raw.root_quat, raw.joint_pos)))
    np.testing.assert_allclose(clip.body_pos_w, pos, atol=1e-6)
    np.testing.assert_allclose(clip.body_quat_w, quat, atol=1e-6)
    assert clip.body_names == G1.body_names and clip.joint_names == G1.joint_names and clip.name == "clip"


def test_velocities_belong_to_the_poses(clip):
    # Over two steps, the midpoint rule on the middle frame's velocity is exact for central differences.
    dt = 1.0 / clip.fps
    np.testing.assert_allclose(
        clip.body_pos_w[:-2] + 2.0 * dt * clip.body_lin_vel_w[1:-1], clip.body_pos_w[2:], atol=2e-6
    )
    np.testing.assert_allclose(clip.joint_pos[:-2] + 2.0 * dt * clip.joint_vel[1:-1], clip.joint_pos[2:], atol=2e-6)
    # The root drifts at (0.3, -0.1) m/s and yaws at 0.5 rad/s.
    np.testing.assert_allclose(clip.body_lin_vel_w[:, 0, :2], np.tile((0.3, -0.1), (51, 1)), atol=1e-5)
    np.testing.assert_allclose(clip.body_ang_vel_w[:, 0], np.tile((0.0, 0.0, 0.5), (51, 1)), atol=1e-5)


def test_body_velocities_agree_with_the_rigid_body_jacobian():
    # v_child = v_parent + omega_parent x (p_child - p_parent): all but exact at 500 fps.
    clip = convert(sway(), output_fps=500)
    inner = slice(200, 300)
    for child, parent in enumerate(G1.parent_idx):
        if parent >= 0:
            arm = clip.body_pos_w[inner, child] - clip.body_pos_w[inner, parent]
            expected = clip.body_lin_vel_w[inner, parent] + np.cross(clip.body_ang_vel_w[inner, parent], arm)
            np.testing.assert_allclose(clip.body_lin_vel_w[inner, child], expected, atol=0.02)


def test_joints_are_matched_by_name(raw):
    order = np.random.default_rng(0).permutation(G1.num_joints)
    shuffled = dataclasses.replace(
        raw, joint_pos=raw.joint_pos[:, order], joint_names=tuple(raw.joint_names[i] for i in order)
    )
    assert convert(shuffled).digest == convert(raw).digest


def test_single_precision_input_is_as_good(raw):
    fields = {key: getattr(raw, key).astype(np.float32) for key in ("root_pos", "root_quat", "joint_pos")}
    np.testing.assert_allclose(
        convert(dataclasses.replace(raw, **fields)).body_pos_w, convert(raw).body_pos_w, atol=1e-6
    )


@pytest.mark.parametrize(
    ("key", "change", "message"),
    [
        ("joint_pos", lambda values: values[:, :28], r"got \[\(31, 3\), \(31, 4\), \(31, 28\)\]"),
        ("root_quat", lambda values: values[:-1], r"got \[\(31, 3\), \(30, 4\), \(31, 29\)\]"),
        ("root_pos", lambda values: values * np.nan, "not finite"),
        ("root_quat", lambda values: values * 0.5, "root_quat is not unit: norms from 0.5 to 0.5"),
    ],
)
def test_malformed_motions_are_refused(raw, key, change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(raw, **{key: change(getattr(raw, key))})


def test_motion_of_another_robot_is_refused(raw):
    names = ("left_hip_joint", *raw.joint_names[1:])
    with pytest.raises(
        ValueError, match=r"lacks the joints \['left_hip_pitch_joint'\] of g1. It has: \['left_hip_joint'"
    ):
        convert(dataclasses.replace(raw, joint_names=names))


def test_unknown_robot(raw):
    with pytest.raises(ValueError, match="Unknown robot: 'h1'. Known: g1"):
        convert(raw, robot="h1")


def test_source_says_where_the_clip_comes_from(csv_file):
    source = convert(read_csv(csv_file, fps=30, frame_range=(2, 20))).source
    assert source["file"] == "sway.csv" and source["frame_range"] == [2, 20] and source["input_fps"] == 30.0
    assert len(source["sha256"]) == 64 and source["tool"].startswith("whole-body-tracking ")


def test_ground_puts_the_soles_on_the_plane_and_moves_nothing_else():
    raised = dataclasses.replace(standing(), root_pos=standing().root_pos + (0.0, 0.0, 0.3))
    clip, floating = convert(raised, ground=True), convert(raised)
    pos, quat = torch.from_numpy(clip.body_pos_w), torch.from_numpy(clip.body_quat_w)
    assert abs(sole_height_of_clip(G1, pos, quat)) < 1e-6
    assert foot_points(G1, pos, quat)[..., 2].min() > -1e-6
    shift = clip.body_pos_w - floating.body_pos_w
    np.testing.assert_allclose(shift, np.broadcast_to((0.0, 0.0, clip.source["ground_shift"]), shift.shape), atol=1e-6)
    # The default pose stands at 0.757 m, so 0.76 + 0.3 m is 0.303 m too high.
    assert clip.source["ground_shift"] == pytest.approx(-0.303, abs=2e-3)


@pytest.mark.parametrize(
    ("name", "frame_range", "speed"), [("walk1_subject1", (3161, 3460), 1.3), ("dance1_subject2", (122, 722), None)]
)
def test_real_clips_convert(lafan1, name, frame_range, speed):
    raw = read_csv(lafan1 / f"{name}.csv", fps=30, frame_range=frame_range)
    clip = convert(raw, output_fps=50)
    num_in = frame_range[1] - frame_range[0] + 1
    assert raw.num_frames == num_in and clip.num_frames == int((num_in - 1) / 30 * 50 + 1e-6) + 1
    assert np.abs(clip.joint_vel).max() < G1.velocity_limit.max()
    assert 0.5 < clip.body_pos_w[:, 0, 2].min() < clip.body_pos_w[:, 0, 2].max() < 0.9
    if speed:
        path_speed = np.linalg.norm(clip.body_lin_vel_w[:, 0, :2], axis=-1).mean()
        assert path_speed == pytest.approx(speed, rel=0.1)
