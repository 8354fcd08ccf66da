"""Tracks and clips that the viewer's tests share."""

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.usd_shapes import rest_poses
from whole_body_tracking.viewer.tracks import Track


def walking_poses(num_frames):
    """Body poses of a G1 that glides along +X, 0.01 m a frame, and turns about Z, 0.02 rad a frame."""
    pos, quat = rest_poses(G1)
    turns = Rotation.from_rotvec([[0.0, 0.0, 0.02 * frame] for frame in range(num_frames)])
    pos_w = np.stack([turn.apply(pos) + [0.01 * frame, 0.0, 0.8] for frame, turn in enumerate(turns)])
    quat_w = np.stack([(turn * Rotation.from_quat(quat)).as_quat(canonical=True) for turn in turns])
    return pos_w, quat_w


def walking_track(name="policy", num_frames=20, ghost=False):
    return Track(name, G1, G1.body_names, *walking_poses(num_frames), ghost=ghost)


def walking_clip(num_frames=20):
    pos_w, quat_w = walking_poses(num_frames)
    joints = np.zeros((num_frames, G1.num_joints))
    still = np.zeros_like(pos_w)
    return MotionClip(50.0, G1.joint_names, G1.body_names, joints, joints, pos_w, quat_w, still, still)
