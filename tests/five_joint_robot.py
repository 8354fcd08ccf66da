"""Facts of a robot that exists nowhere: a torso on two legs of a hip and a knee, five joints in all."""

import numpy as np

from whole_body_tracking.motion import RawMotion
from whole_body_tracking.robots import RobotModel

THIGH, SHANK = 0.3, 0.3
"""Lengths [m]."""
FOOT_RADIUS = 0.04
HIP_HEIGHT = 0.6 + FOOT_RADIUS
"""Height of the pelvis above the ground with straight legs [m]."""

ORDER = [  # body, parent, origin in the parent, mass, bottom of its capsule
    ("base", None, (0.0, 0.0, 0.0), 4.0, 0.05),
    ("left_thigh", "base", (0.0, 0.1, 0.0), 1.5, -THIGH),
    ("left_shank", "left_thigh", (0.0, 0.0, -THIGH), 1.0, -SHANK),
    ("right_thigh", "base", (0.0, -0.1, 0.0), 1.5, -THIGH),
    ("right_shank", "right_thigh", (0.0, 0.0, -THIGH), 1.0, -SHANK),
    ("chest", "base", (0.0, 0.0, 0.1), 5.0, 0.3),
]


def _body(name: str, parent: str | None, origin: tuple, mass: float, end: float) -> dict:
    capsule = {"type": "capsule", "radius": 0.04, "p0": [0.0, 0.0, 0.0], "p1": [0.0, 0.0, end]}
    foot = {"type": "sphere", "radius": FOOT_RADIUS, "center": [0.0, 0.0, end], "name": f"{name}_foot"}
    moment = mass * end**2 / 12.0 + 0.005
    body = {
        "mass": mass,
        "com": [0.0, 0.0, end / 2.0],
        "inertia_about_com": {"ixx": moment, "ixy": 0.0, "ixz": 0.0, "iyy": moment, "iyz": 0.0, "izz": 0.005},
        "visuals": [capsule | {"name": name}],
        "colliders": [foot] if name.endswith("shank") else [],
    }
    if parent is None:
        return body
    joint = {
        "parent": parent,
        "joint": f"{name}_joint",
        "joint_origin_xyz": list(origin),
        "joint_origin_rpy": [0.0, 0.0, 0.0],
        "joint_axis": [0.0, 1.0, 0.0],
        "joint_limits": [-1.5, 1.5],
    }
    return body | joint


def five_joint_facts() -> dict:
    names = [row[0] for row in ORDER]
    joints = [f"{name}_joint" for name in names[1:]]
    return {
        "name": "five",
        "anchor_body": "chest",
        "default_root_height": HIP_HEIGHT,
        "natural_frequency_hz": 10.0,
        "damping_ratio": 2.0,
        "soft_joint_pos_limit_factor": 0.9,
        "action_scale_factor": 0.25,
        "joint_order_csv": joints,
        "body_order_depth_first": names,
        "tracked_bodies": ["base", "left_shank", "right_shank", "chest"],
        "end_effectors": ["left_shank", "right_shank"],
        "self_collision_excludes": [],
        "foot": {"bodies": ["left_shank", "right_shank"], "sole_height": -SHANK - FOOT_RADIUS},
        "motors": {"big": {"armature": 0.01, "effort_limit": 60.0, "velocity_limit": 20.0}},
        "joints": {name: {"motor": "big", "motors_in_parallel": 1, "default_pos": 0.0} for name in joints},
        "bodies": {row[0]: _body(*row) for row in ORDER},
    }


FIVE = RobotModel(five_joint_facts())


def nodding(num_frames: int = 31, fps: float = 30.0) -> RawMotion:
    """The robot stands and bends its chest."""
    quat, joint_pos = np.zeros((num_frames, 4)), np.zeros((num_frames, 5))
    quat[:, 3] = 1.0
    joint_pos[:, 4] = 0.3 * np.sin(np.arange(num_frames) / fps)
    return RawMotion(
        fps=fps,
        root_pos=np.tile((0.0, 0.0, HIP_HEIGHT), (num_frames, 1)),
        root_quat=quat,
        joint_pos=joint_pos,
        joint_names=FIVE.joint_names,
    )
