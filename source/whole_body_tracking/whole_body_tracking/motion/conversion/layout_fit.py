"""Column layouts of other projects' clip files, and how well a file agrees with itself under one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from whole_body_tracking.robots import RobotModel

from ..geometry.kinematics import forward_kinematics
from ..geometry.rotations import quat_conjugate, quat_log, quat_mul

POSITION_TOLERANCE = 1e-3
"""Largest distance between a stored body and where the stored joints put it [m]."""
ROTATION_TOLERANCE = 1e-2
"""Largest angle between a stored body and where the stored joints turn it [rad]; a hand 0.1 m away moves by 1 mm."""
TO_XYZW = {"wxyz": [1, 2, 3, 0], "xyzw": [0, 1, 2, 3]}
ROOT_COLUMNS = 7
"""Root position and quaternion, which holosoma stores in front of the joints."""


@dataclass(frozen=True)
class ForeignLayout:
    """Meaning of the columns of a file."""

    name: str
    """``beyondmimic`` (breadth first), ``mjlab`` (depth first), ``holosoma`` (root in front of the joints) or
    ``named`` (any other file with names); followed by ``-xyzw`` if quaternions are not w first."""
    joint_names: tuple[str, ...]
    body_names: tuple[str, ...]
    """Names of the stored bodies, which may be more than the robot's."""
    quat_order: str
    num_root_columns: int
    """Columns of ``joint_pos`` before the first joint."""


@dataclass(frozen=True, eq=False)
class LayoutFit:
    """Agreement of a file with itself under one layout."""

    layout: ForeignLayout
    robot: RobotModel
    position_error: np.ndarray
    """Distance between stored and computed bodies [m], shape [num_frames, num_bodies], in the robot's order."""
    rotation_error: np.ndarray
    """Angle between stored and computed bodies [rad], shape [num_frames, num_bodies]."""

    @property
    def score(self) -> float:
        """Mean error, in tolerances: the best layout has the smallest."""
        return float(self.position_error.mean() / POSITION_TOLERANCE + self.rotation_error.mean() / ROTATION_TOLERANCE)

    @cached_property
    def misfits(self) -> list[int]:
        """Indices of the bodies that are off by more than a tolerance in some frame."""
        far = self.position_error.max(0) > POSITION_TOLERANCE
        turned = self.rotation_error.max(0) > ROTATION_TOLERANCE
        return np.flatnonzero(far | turned).tolist()

    def describe_misfits(self) -> str:
        """The error of every body that is off, in the order of the kinematic tree."""
        return ", ".join(
            f"{self.robot.body_names[body]} {1e3 * self.position_error[:, body].max():.1f} mm"
            f" {np.degrees(self.rotation_error[:, body].max()):.1f} deg"
            for body in self.misfits
        )

    def first_misfits(self) -> list[str]:
        """The bodies that are off although their parents are not: where the difference comes from."""
        parents = self.robot.parent_idx
        return [self.robot.body_names[body] for body in self.misfits if int(parents[body]) not in self.misfits]


def fit_layout(
    arrays: dict[str, np.ndarray], layout: ForeignLayout, robot: RobotModel, frames: np.ndarray
) -> LayoutFit:
    """Compare the stored bodies of some frames with the forward kinematics of the stored root and joints."""
    joints = [layout.num_root_columns + layout.joint_names.index(joint) for joint in robot.joint_names]
    bodies = [layout.body_names.index(body) for body in robot.body_names]
    stored_pos = torch.as_tensor(arrays["body_pos_w"][frames][:, bodies], dtype=torch.float64)
    stored_quat = _unit(arrays["body_quat_w"][frames][:, bodies][..., TO_XYZW[layout.quat_order]])
    angles = torch.as_tensor(arrays["joint_pos"][frames][:, joints], dtype=torch.float64)
    root_pos, root_quat = root_pose(arrays, layout, robot)
    pos, quat = forward_kinematics(robot, root_pos[frames], root_quat[frames], angles)
    turn = quat_log(quat_mul(stored_quat, quat_conjugate(quat))).norm(dim=-1)
    return LayoutFit(layout, robot, (pos - stored_pos).norm(dim=-1).numpy(), turn.numpy())


def root_pose(
    arrays: dict[str, np.ndarray], layout: ForeignLayout, robot: RobotModel
) -> tuple[torch.Tensor, torch.Tensor]:
    """Root positions [m] and orientations (x, y, z, w): those in front of the joints, else those of the root body."""
    if layout.num_root_columns:
        pos, quat = arrays["joint_pos"][:, :3], arrays["joint_pos"][:, 3:ROOT_COLUMNS]
    else:
        root = layout.body_names.index(robot.body_names[0])
        pos, quat = arrays["body_pos_w"][:, root], arrays["body_quat_w"][:, root]
    return torch.as_tensor(pos, dtype=torch.float64), _unit(quat[:, TO_XYZW[layout.quat_order]])


def _unit(quat: np.ndarray) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.as_tensor(quat, dtype=torch.float64), dim=-1)
