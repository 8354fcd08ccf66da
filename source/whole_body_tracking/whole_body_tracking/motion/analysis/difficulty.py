"""Difficulty of a clip, estimated from its content alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from whole_body_tracking.robots import RobotModel

from ..geometry.rotations import quat_rotate
from ..library import MotionLibrary

SPEED_SCALE, JOINT_SPEED_SCALE, TILT_SCALE, AIRTIME_SCALE = 2.0, 2.0, 0.5, 0.25
"""Root speed [m/s], joint speed [rad/s], tilt [rad] and airtime (share of frames) that each count as one unit."""
AIRBORNE_HEIGHT = 0.05
"""Height of the lower sole above the clip's floor from which a frame counts as airborne [m]."""


@dataclass(frozen=True)
class ClipFeatures:
    """Averages over one clip."""

    root_speed: float
    """Horizontal speed of the root [m/s]."""
    vertical_speed: float
    """Root mean square of the root's vertical velocity [m/s]."""
    joint_speed: float
    """Root mean square joint velocity [rad/s]."""
    tilt: float
    """Angle between the root's vertical axis and the world's [rad], its 95th percentile."""
    airtime: float
    """Share of frames in which both feet are off the floor."""
    low_root: float
    """Height of the root above the floor [m], its 5th percentile."""

    @property
    def difficulty(self) -> float:
        """Sum of speed, joint speed, tilt and airtime in units of their scales."""
        return (
            self.root_speed / SPEED_SCALE
            + self.joint_speed / JOINT_SPEED_SCALE
            + self.tilt / TILT_SCALE
            + self.airtime / AIRTIME_SCALE
        )


def clip_features(library: MotionLibrary, clip: int, robot: RobotModel) -> ClipFeatures:
    """Features of one clip of a library.

    Args:
        library: Clips that hold the root and the feet of the robot.
        clip: Index of the clip.
        robot: Whose motion it is.

    Raises:
        ValueError: If the library lacks the root or a foot.
    """
    needed = (robot.body_names[0], *robot.foot_body_names)
    missing = [name for name in needed if name not in library.body_names]
    if missing:
        raise ValueError(f"Difficulty needs the bodies {missing}, but the library holds {list(library.body_names)}.")
    root, *feet = (library.body_names.index(name) for name in needed)
    frames = torch.arange(int(library.num_frames[clip]), device=library.num_frames.device)
    state = library.state_at(torch.full_like(frames, clip), frames)
    pos, vel = state.body_pos_w, state.body_lin_vel_w[:, root]
    foot_height = pos[:, feet, 2].amin(-1)
    floor = foot_height.quantile(0.05)  # in falls, retargeted feet sink below it
    up = quat_rotate(state.body_quat_w[:, root], pos.new_tensor([0.0, 0.0, 1.0]).expand(len(frames), 3))
    return ClipFeatures(
        root_speed=float(vel[:, :2].norm(dim=-1).mean()),
        vertical_speed=float(vel[:, 2].square().mean().sqrt()),
        joint_speed=float(state.joint_vel.square().mean().sqrt()),
        tilt=float(up[:, 2].clamp(-1.0, 1.0).arccos().quantile(0.95)),
        airtime=float((foot_height > floor + AIRBORNE_HEIGHT).float().mean()),
        low_root=float((pos[:, root, 2] - floor).quantile(0.05)),
    )


def difficulties(library: MotionLibrary, robot: RobotModel) -> Tensor:
    """Difficulty of each clip of a library from its features, shape [num_clips]."""
    values = [clip_features(library, clip, robot).difficulty for clip in range(library.num_clips)]
    return torch.tensor(values, device=library.num_frames.device)
