"""A clip in MuJoCo's coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.geometry.ground import sole_height_of_clip
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_model import PHYSICS_DT

DEEPEST_SOLE = -0.05
"""A clip whose soles are lower than this [m] in most frames was not put on the ground; LAFAN1's sink by 1 to 4 cm."""


@dataclass(frozen=True)
class ReferenceStates:
    """What the robot should do, in MuJoCo's coordinates and float64.

    Joints are in the order of the robot, quaternions (w, x, y, z).
    """

    clip: MotionClip
    robot: RobotModel
    qpos: np.ndarray
    """Root position [m], root quaternion, joint positions [rad], shape [num_frames, 7 + num_joints]."""
    qvel: np.ndarray
    """Root velocity (world) [m/s], angular velocity (body) [rad/s], joints [rad/s], [num_frames, 6 + num_joints]."""
    body_pos_w: np.ndarray
    """Positions of the robot's tracked bodies [m], shape [num_frames, num_tracked, 3]."""

    @property
    def num_frames(self) -> int:
        return len(self.qpos)

    @property
    def control_dt(self) -> float:
        """Time between two frames [s]."""
        return 1.0 / self.clip.fps

    @property
    def joint_pos(self) -> np.ndarray:
        """Joint positions [rad], shape [num_frames, num_joints]."""
        return self.qpos[:, 7:]

    def in_clip_order(self, values: np.ndarray) -> np.ndarray:
        """Per-joint values [..., num_joints] of the robot's order in that of the clip's joints, float32."""
        result = np.zeros((*values.shape[:-1], len(self.clip.joint_names)), dtype=np.float32)
        result[..., self.clip.joint_indices(self.robot.joint_names)] = values
        return result

    def in_robot_order(self, values: np.ndarray) -> np.ndarray:
        """Per-joint values [..., num_joints] of the clip's order in that of the robot's joints, float64."""
        return values[..., self.clip.joint_indices(self.robot.joint_names)].astype(np.float64)


def reference_states(clip: MotionClip, robot: RobotModel) -> ReferenceStates:
    """Lay a clip out for MuJoCo.

    Raises:
        ValueError: If the clip is not one of this robot, its rate is not a whole fraction of the physics rate, or its
            soles are below the ground.
    """
    clip.require_robot(robot)
    require_rate(clip)
    _require_ground(clip, robot)
    root = clip.body_indices(robot.body_names[:1])[0]
    joints = clip.joint_indices(robot.joint_names)
    quat = clip.body_quat_w[:, root].astype(np.float64)
    ang_vel_b = Rotation.from_quat(quat).inv().apply(clip.body_ang_vel_w[:, root])
    return ReferenceStates(
        clip=clip,
        robot=robot,
        qpos=np.hstack([clip.body_pos_w[:, root], _wxyz(quat), clip.joint_pos[:, joints]]).astype(np.float64),
        qvel=np.hstack([clip.body_lin_vel_w[:, root], ang_vel_b, clip.joint_vel[:, joints]]).astype(np.float64),
        body_pos_w=clip.body_pos_w[:, clip.body_indices(robot.tracked_body_names)].astype(np.float64),
    )


def require_rate(clip: MotionClip) -> int:
    """Physics steps of a control step.

    Raises:
        ValueError: If a frame of the clip does not last a whole number of physics steps.
    """
    substeps = round(1.0 / (clip.fps * PHYSICS_DT))
    if substeps < 1 or abs(substeps * PHYSICS_DT * clip.fps - 1.0) > 1e-6:
        rates = [f"{1.0 / (PHYSICS_DT * count):g}" for count in (4, 5, 8)]
        raise ValueError(
            f"{clip.name}: a frame of a clip of {clip.fps:g} fps lasts {1.0 / clip.fps:.5g} s, which is not a multiple"
            f" of the physics step of {PHYSICS_DT:g} s. Convert the motion with --output_fps {', '.join(rates)}."
        )
    return substeps


def _require_ground(clip: MotionClip, robot: RobotModel) -> None:
    bodies = clip.body_indices(robot.body_names)
    pos, quat = (torch.from_numpy(values[:, bodies]) for values in (clip.body_pos_w, clip.body_quat_w))
    height = sole_height_of_clip(robot, pos, quat)
    if height < DEEPEST_SOLE:
        raise ValueError(
            f"{clip.name} is below the ground: its soles are at {100.0 * height:.1f} cm, at least"
            f" {100.0 * DEEPEST_SOLE:g} cm is expected. Convert the motion again with --ground."
        )


def _wxyz(quat_xyzw: np.ndarray) -> np.ndarray:
    return np.roll(quat_xyzw, 1, axis=-1)
