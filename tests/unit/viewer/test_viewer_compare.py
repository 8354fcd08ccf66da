import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from viewer_samples import walking_clip

from whole_body_tracking.robots import G1
from whole_body_tracking.viewer.replay import compare, replay_track

pytestmark = pytest.mark.unit


def poses_of(clip):
    return np.concatenate((clip.body_pos_w, clip.body_quat_w), axis=-1)


def test_a_clip_equals_itself():
    clip = walking_clip()
    replay = compare(clip, clip.body_names, poses_of(clip))
    assert replay.largest_pos_difference.value == 0.0
    assert replay.largest_ori_difference.value < 1e-6


def test_the_largest_differences_are_found_with_body_and_frame():
    clip = walking_clip()
    poses = poses_of(clip)
    poses[3, 5, :3] += [0.03, 0.0, 0.04]
    poses[7, 2, 3:] = (Rotation.from_rotvec([0.1, 0.0, 0.0]) * Rotation.from_quat(poses[7, 2, 3:])).as_quat()
    replay = compare(clip, clip.body_names, poses)
    pos, ori = replay.largest_pos_difference, replay.largest_ori_difference
    assert (pos.body_name, pos.frame, ori.body_name, ori.frame) == (clip.body_names[5], 3, clip.body_names[2], 7)
    assert pos.value == pytest.approx(0.05, abs=1e-6)  # 3-4-5 triangle
    assert ori.value == pytest.approx(0.1, abs=1e-6)


def test_the_sign_of_a_quaternion_does_not_matter():
    clip = walking_clip()
    poses = poses_of(clip)
    poses[..., 3:] *= -1.0
    assert compare(clip, clip.body_names, poses).largest_ori_difference.value < 1e-6


def test_bodies_are_matched_by_name():
    clip = walking_clip()
    replay = compare(clip, clip.body_names[::-1], poses_of(clip)[:, ::-1])
    assert replay.largest_pos_difference.value == 0.0


def test_replays_follow_each_other_in_a_track():
    long, short = walking_clip(20), walking_clip(5)
    track = replay_track("robot", G1, [compare(clip, clip.body_names, poses_of(clip)) for clip in (long, short)])
    assert track.num_frames == 25
    assert np.array_equal(track.pos_w[20:], short.body_pos_w)
