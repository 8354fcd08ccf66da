"""SkeletonMotion: what every mocap file becomes, and its forward kinematics."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from whole_body_tracking.motion.conversion.resample import num_resampled_frames
from whole_body_tracking.motion.geometry.rotations import hamilton, quat_slerp

END_SUFFIX = "_end"
"""What the name of a chain's end point adds to that of the joint it hangs on."""


@dataclass(frozen=True, eq=False)
class SkeletonMotion:
    """A motion of a skeleton of rigid bones at a constant rate.

    After :func:`~whole_body_tracking.mocap.read_mocap` it is in metres with z up; readers of single formats leave
    the file's unit and axes. Arrays are float64.

    Raises:
        ValueError: If shapes do not agree, a parent comes after its child, two joints share a name, or values are not
            finite.
    """

    fps: float
    """Frames per second."""
    names: tuple[str, ...]
    """Names of the joints; the first is the root. End points of chains are joints that do not turn."""
    parents: tuple[int, ...]
    """Index of each joint's parent, -1 for the root; a parent comes before its children."""
    offsets: np.ndarray
    """Position of each joint in its parent's frame [m], shape [num_joints, 3]; the root's is zero."""
    local_quat: np.ndarray
    """Orientation of each joint in its parent's frame (x, y, z, w), shape [num_frames, num_joints, 4]."""
    root_pos: np.ndarray
    """Positions of the root in the world frame [m], shape [num_frames, 3]."""
    source: dict = field(default_factory=dict)
    """Where the motion comes from: plain JSON values."""

    def __post_init__(self):
        for key in ("offsets", "local_quat", "root_pos"):
            object.__setattr__(self, key, np.ascontiguousarray(getattr(self, key), dtype=np.float64))
        frames, joints = len(self.root_pos), len(self.names)
        found = [len(self.parents), *(np.shape(value) for value in (self.offsets, self.local_quat, self.root_pos))]
        expected = [joints, (joints, 3), (frames, joints, 4), (frames, 3)]
        if found != expected or joints == 0 or frames == 0:
            raise ValueError(
                f"A skeleton motion has parents, offsets, local_quat and root_pos of shapes {expected}, got {found}."
            )
        if self.parents[0] != -1 or any(not 0 <= parent < i for i, parent in enumerate(self.parents) if i > 0):
            raise ValueError(f"Each joint hangs on one before it, the first on none (-1); got {list(self.parents)}.")
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise ValueError(f"Joints share the names {twice}. Rename them: joints are found by name.")
        for key in ("offsets", "local_quat", "root_pos"):
            if not np.isfinite(getattr(self, key)).all():
                raise ValueError(f"The skeleton's {key} holds values that are not finite.")

    @property
    def num_frames(self) -> int:
        return len(self.root_pos)

    @property
    def num_joints(self) -> int:
        return len(self.names)

    @property
    def duration(self) -> float:
        """Time from the first to the last frame [s]."""
        return (self.num_frames - 1) / self.fps

    def index(self, name: str) -> int:
        """Place of a joint.

        Raises:
            KeyError: If there is no such joint; the message lists those that exist.
        """
        if name not in self.names:
            raise KeyError(f"The skeleton has no joint '{name}'. It has: {list(self.names)}.")
        return self.names.index(name)

    def joint_poses(self) -> tuple[Tensor, Tensor]:
        """World poses of all joints: positions [m], shape [num_frames, num_joints, 3], and orientations, [.., 4]."""
        return joint_poses(self)

    def resampled(self, fps: float) -> SkeletonMotion:
        """The motion at another rate: rotations along the shorter arc, the root linearly; never extrapolated.

        Raises:
            ValueError: If the rate is not positive or leaves fewer than two frames.
        """
        if not fps > 0:
            raise ValueError(f"The output rate is {fps} fps, but a rate is positive.")
        num_frames = num_resampled_frames(self.num_frames, self.fps, fps)
        if num_frames < 2:
            raise ValueError(
                f"A motion of {self.duration:.3g} s has {num_frames} frame at {fps:g} fps, expected at least 2."
            )
        if fps == self.fps:
            return self
        phase = torch.arange(num_frames, dtype=torch.float64) * (self.fps / fps)
        phase = torch.where((phase - phase.round()).abs() < 1e-6 * self.fps, phase.round(), phase)
        start = phase.long().clamp(max=self.num_frames - 2)
        alpha = (phase - start).clamp(max=1.0)[:, None]
        quat, root = torch.from_numpy(self.local_quat), torch.from_numpy(self.root_pos)
        return replace(
            self,
            fps=float(fps),
            local_quat=quat_slerp(quat[start], quat[start + 1], alpha[:, None]).numpy(),
            root_pos=torch.lerp(root[start], root[start + 1], alpha).numpy(),
        )


def joint_poses(motion: SkeletonMotion) -> tuple[Tensor, Tensor]:
    """Forward kinematics: p = p_parent + R_parent offset, R = R_parent R_local.

    Returns:
        Positions in the world frame [m], shape [num_frames, num_joints, 3], and orientations (x, y, z, w),
        shape [num_frames, num_joints, 4].
    """
    # Joints of one depth at a time, one contiguous row per component and joint: a short motion's time goes into the
    # number of operations, a long one's into how they pass through memory.
    local = torch.from_numpy(motion.local_quat).permute(2, 1, 0).contiguous()  # [4, num_joints, num_frames]
    offset = torch.from_numpy(motion.offsets).T[..., None]
    pos, quat = local.new_empty(3, *local.shape[1:]), torch.empty_like(local)
    pos[:, 0], quat[:, 0] = torch.from_numpy(motion.root_pos).T, local[:, 0]
    for joints, parents in _levels(motion.parents):
        above = quat[:, parents]
        pos[:, joints] = pos[:, parents] + _rotated(above, offset[:, joints])
        quat[:, joints] = torch.stack(hamilton(above.unbind(0), local[:, joints].unbind(0)))
    return pos.permute(2, 1, 0).contiguous(), torch.nn.functional.normalize(quat.permute(2, 1, 0), dim=-1)


def _levels(parents: tuple[int, ...]) -> list[tuple[list[int], list[int]]]:
    """Joints of each depth of the tree below the root, and their parents."""
    depth = [0] * len(parents)
    for joint in range(1, len(parents)):
        depth[joint] = depth[parents[joint]] + 1
    levels = [[joint for joint, at in enumerate(depth) if at == level] for level in range(1, max(depth) + 1)]
    return [(joints, [parents[joint] for joint in joints]) for joints in levels]


def _rotated(quat: Tensor, v: Tensor) -> Tensor:
    """Vectors, shape [3, ...], turned by quaternions, shape [4, ...]."""
    x, y, z, w = quat.unbind(0)
    vx, vy, vz = v.unbind(0)
    tx, ty, tz = 2.0 * (y * vz - z * vy), 2.0 * (z * vx - x * vz), 2.0 * (x * vy - y * vx)
    return torch.stack((vx + w * tx + y * tz - z * ty, vy + w * ty + z * tx - x * tz, vz + w * tz + x * ty - y * tx))
