"""Small motions for the tests of priors: the robot sways and steps in place while it turns and travels."""

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.motion import MotionClip, RawMotion, convert
from whole_body_tracking.robots import G1

FPS = 30.0


def swaying_clip(num_frames: int = 120, seed: int = 0, fps: float = FPS, yaw: float = 0.0) -> MotionClip:
    """A clip whose joints swing around the default pose; each seed has other amplitudes and phases."""
    random = np.random.default_rng(seed)
    times = np.arange(num_frames) / fps
    amplitude, phase = random.uniform(0.05, 0.2, G1.num_joints), random.uniform(0.0, 6.0, G1.num_joints)
    joints = G1.default_joint_pos + amplitude * np.sin(2.0 * np.pi * 0.8 * times[:, None] + phase)
    joints = np.clip(joints, *G1.joint_pos_limits.T)
    euler = np.stack((yaw + 0.3 * times, 0.1 * np.sin(2.0 * times), 0.1 * np.sin(3.0 * times + 1.0)), axis=-1)
    quat = Rotation.from_euler("ZYX", euler).as_quat()
    ahead = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    pos = 0.3 * times[:, None] * ahead + [0.0, 0.0, 0.78] + 0.02 * np.sin(5.0 * times)[:, None] * [0.0, 0.0, 1.0]
    return convert(
        RawMotion(fps=fps, root_pos=pos, root_quat=quat, joint_pos=joints, joint_names=G1.joint_names), fps, G1
    )
