"""A page on which a person's skeleton moves beside the robot."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from whole_body_tracking.robots import RobotModel

from .retarget import Retargeted
from .skeleton import SkeletonMotion

BONE_RADIUS, JOINT_RADIUS = 0.018, 0.024
"""Of a drawn bone and of a joint without one [m]."""
BESIDE = 1.1
"""Distance between skeleton and robot, to the robot's left at the start [m]."""
SHORTEST_BONE = 0.01
"""Shorter bones are not drawn [m]."""


def skeleton_model(motion: SkeletonMotion) -> RobotModel:
    """A skeleton as the viewer sees a robot: one body per joint, one capsule per bone."""
    visuals: dict[str, list[dict]] = {name: [] for name in motion.names}
    for joint in range(1, motion.num_joints):
        offset = motion.offsets[joint]
        if np.linalg.norm(offset) > SHORTEST_BONE:
            bone = {"name": f"bone_{joint}", "type": "capsule", "radius": BONE_RADIUS}
            visuals[motion.names[motion.parents[joint]]].append(bone | {"p0": [0.0, 0.0, 0.0], "p1": offset.tolist()})
    for shapes in visuals.values():
        if not shapes:
            shapes.append({"name": "joint", "type": "sphere", "radius": JOINT_RADIUS, "center": [0.0, 0.0, 0.0]})
    return RobotModel(
        {
            "name": "skeleton",
            "joint_order_csv": [],
            "body_order_depth_first": list(motion.names),
            "foot": {"bodies": []},
            "bodies": {name: {"visuals": shapes, "colliders": []} for name, shapes in visuals.items()},
        }
    )


def retarget_tracks(result: Retargeted, robot: RobotModel) -> list:
    """The robot, and the person's skeleton at its own size beside it."""
    from whole_body_tracking.viewer.tracks import Track

    clip, motion = result.clip, result.skeleton
    pos, quat = motion.joint_poses()
    start = clip.body_pos_w[0, 0] * [1.0, 1.0, 0.0]
    x, y, z, w = clip.body_quat_w[0, 0].astype(np.float64)
    yaw = np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    beside = start + BESIDE * np.array([-np.sin(yaw), np.cos(yaw), 0.0])
    ground = np.array([0.0, 0.0, float(pos[..., 2].min())])
    # The way of the skeleton shrinks with the robot's, so that both stay side by side.
    way = motion.root_pos * [1.0, 1.0, 0.0]
    shift = beside - ground + (result.targets.scale - 1.0) * way - result.targets.scale * way[0]
    skeleton = Track("person", skeleton_model(motion), list(motion.names), pos.numpy() + shift[:, None], quat.numpy())
    return [Track(robot.name, robot, list(clip.body_names), clip.body_pos_w, clip.body_quat_w), skeleton]


def write_retarget_page(path: str | Path, result: Retargeted, robot: RobotModel) -> Path:
    """Write the page: it opens offline, with a timeline.

    Raises:
        FileNotFoundError: If the folder does not exist.
    """
    from whole_body_tracking.viewer.page import write_page

    return write_page(path, retarget_tracks(result, robot), result.clip.fps, result.clip.name)
