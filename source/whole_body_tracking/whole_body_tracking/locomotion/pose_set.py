"""Poses of recorded motion, to which a walk is compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from whole_body_tracking.motion.defaults import DEFAULT_MOTION_FILE, DEFAULT_WALK_FILE
from whole_body_tracking.motion.sources.motion_entries import resolve_entries
from whole_body_tracking.robots import RobotModel


@dataclass(frozen=True)
class PoseSet:
    """Joint positions of all frames of some clips."""

    poses: Tensor
    """[rad], shape [num_poses, num_joints]."""
    joint_names: tuple[str, ...]
    clips: dict[str, str]
    """Name and digest of every clip."""

    def ordered(self, joint_names: Sequence[str]) -> Tensor:
        """The poses with joints in another order, shape [num_poses, num_joints]."""
        return self.poses[:, [self.joint_names.index(name) for name in joint_names]]


def load_pose_set(items: Sequence[str], robot: RobotModel) -> PoseSet:
    """Read the poses of clips.

    Args:
        items: Clip files, folders, globs or manifests; none takes the clips that the package carries.
        robot: The clips have to have its joints.

    Raises:
        FileNotFoundError: If there is no such clip.
        ValueError: If a clip is of another robot.
    """
    entries = resolve_entries(list(items) or [str(DEFAULT_WALK_FILE), str(DEFAULT_MOTION_FILE)])
    clips = [entry.load() for entry in entries]
    poses = []
    for clip in clips:
        missing = sorted(set(robot.joint_names) - set(clip.joint_names))
        if missing:
            raise ValueError(
                f"Clip '{clip.name}' lacks the joints {missing} of {robot.name}: poses of another robot cannot be"
                f" compared. It has {list(clip.joint_names)}."
            )
        poses.append(torch.from_numpy(clip.joint_pos[:, clip.joint_indices(robot.joint_names)]))
    return PoseSet(torch.cat(poses).float(), tuple(robot.joint_names), {clip.name: clip.digest for clip in clips})
