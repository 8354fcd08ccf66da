"""The state that is predicted: free of place and heading, with velocities that lead exactly from frame to frame.

With R the root's orientation, p its position, q the joints and dt = 1 / fps, frame t of a motion has

    height = p_z                            up_b = R^T e_z
    lin_vel_b = R_t^T (p_t - p_{t-1}) / dt  ang_vel_b = log(R_{t-1}^T R_t) / dt      joint_vel = (q_t - q_{t-1}) / dt

Velocities are differences to the frame before, so they say nothing about the frame after, which central differences
do; and the semi-implicit step from the next velocities gives back the next frame itself:

    up_b' = exp(-ang_vel_b' dt) up_b        height' = height + dt up_b' . lin_vel_b'      q' = q + dt joint_vel'

There is no heading angle anywhere, so a robot that lies on its back has a state as smooth as one that stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.geometry.rotations import quat_conjugate, quat_exp, quat_log, quat_mul, quat_rotate
from whole_body_tracking.robots import RobotModel

PARTS = ("root_height", "up_b", "joint_pos", "root_lin_vel_b", "root_ang_vel_b", "joint_vel")
"""Parts of a state in their order: three of positions, three of velocities."""
UNITS = {
    "root_height": "m", "up_b": "1", "joint_pos": "rad",
    "root_lin_vel_b": "m/s", "root_ang_vel_b": "rad/s", "joint_vel": "rad/s",
}  # fmt: skip


@dataclass(frozen=True)
class StateLayout:
    """Which numbers a state has, in which order, for which robot and rate."""

    robot_name: str
    joint_names: tuple[str, ...]
    fps: float
    """Frames per second of the states."""
    joint_pos_limits: tuple[tuple[float, float], ...]
    """Lower and upper limit of each joint [rad]; predictions stay within."""

    @classmethod
    def of_robot(cls, robot: RobotModel, fps: float) -> StateLayout:
        """The layout of a robot's clips at a rate."""
        limits = tuple((float(low), float(high)) for low, high in robot.joint_pos_limits)
        return cls(robot.name, robot.joint_names, float(fps), limits)

    @property
    def num_joints(self) -> int:
        return len(self.joint_names)

    @property
    def widths(self) -> dict[str, int]:
        """Number of values of each part."""
        return dict(zip(PARTS, (1, 3, self.num_joints, 3, 3, self.num_joints), strict=True))

    @property
    def dim(self) -> int:
        """Number of values of a state."""
        return sum(self.widths.values())

    @property
    def num_positions(self) -> int:
        """Number of values of height, tilt and joint positions, which come first."""
        return 4 + self.num_joints

    @property
    def num_velocities(self) -> int:
        """Number of velocities, which come last."""
        return 6 + self.num_joints

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Place of each part by its name."""
        places, start = {}, 0
        for name, width in self.widths.items():
            places[name] = slice(start, start + width)
            start += width
        return places

    @cached_property
    def velocity_slices(self) -> dict[str, slice]:
        """Place of each velocity among the velocities alone."""
        first = self.num_positions
        return {name: slice(s.start - first, s.stop - first) for name, s in self.slices.items() if s.start >= first}

    @cached_property
    def dimension_names(self) -> tuple[str, ...]:
        """Name of every value, such as ``joint_pos/left_knee_joint`` or ``up_b/z``."""
        names = []
        for part, width in self.widths.items():
            parts = {1: ("z",), 3: ("x", "y", "z")}.get(width) if part in ("root_height", "up_b") else None
            parts = parts or (("x", "y", "z") if part.startswith("root") else self.joint_names)
            names += [f"{part}/{name}" for name in parts]
        return tuple(names)

    def as_json(self) -> dict:
        """Plain values for a file's metadata."""
        return {
            "robot": self.robot_name,
            "joint_names": list(self.joint_names),
            "fps": self.fps,
            "joint_pos_limits": [list(pair) for pair in self.joint_pos_limits],
        }

    @classmethod
    def from_json(cls, content: dict) -> StateLayout:
        """The layout that :meth:`as_json` described."""
        limits = tuple((float(low), float(high)) for low, high in content["joint_pos_limits"])
        return cls(content["robot"], tuple(content["joint_names"]), float(content["fps"]), limits)

    def require_clip(self, clip: MotionClip) -> None:
        """Check that a clip has this robot's joints at this rate.

        Raises:
            ValueError: If it does not; the message says what differs.
        """
        clip.joint_indices(self.joint_names)
        if abs(clip.fps - self.fps) > 1e-3 * self.fps:
            raise ValueError(
                f"{clip.name}: the clip has {clip.fps:g} fps, the states {self.fps:g}. Convert all clips with one"
                f" --output_fps."
            )


def clip_states(clip: MotionClip, layout: StateLayout) -> Tensor:
    """States of a clip from its second frame on, float32, shape [num_frames - 1, dim].

    Raises:
        ValueError: If the clip does not fit the layout.
    """
    return motion_states(*clip_poses(clip, layout), layout.fps).float()


def clip_poses(clip: MotionClip, layout: StateLayout) -> tuple[Tensor, Tensor, Tensor]:
    """Root positions [m], root orientations and joint positions [rad] of a clip in double precision.

    Returns:
        Shapes [num_frames, 3], [num_frames, 4] and [num_frames, num_joints], joints in the layout's order.

    Raises:
        ValueError: If the clip does not fit the layout.
    """
    layout.require_clip(clip)
    joints = torch.from_numpy(clip.joint_pos[:, clip.joint_indices(layout.joint_names)]).double()
    pos = torch.from_numpy(clip.body_pos_w[:, 0]).double()
    quat = torch.nn.functional.normalize(torch.from_numpy(clip.body_quat_w[:, 0]).double(), dim=-1)
    return pos, quat, joints


def motion_states(root_pos: Tensor, root_quat: Tensor, joint_pos: Tensor, fps: float) -> Tensor:
    """States of a motion from its second frame on, shape [..., num_frames - 1, dim].

    Args:
        root_pos: In the world [m], shape [..., num_frames, 3].
        root_quat: (x, y, z, w), unit, shape [..., num_frames, 4].
        joint_pos: [rad], shape [..., num_frames, num_joints].
        fps: Frames per second.
    """
    before, now = root_quat[..., :-1, :], root_quat[..., 1:, :]
    inverse = quat_conjugate(now)
    up = up_axis(now)
    lin_vel = quat_rotate(inverse, root_pos.diff(dim=-2) * fps)
    ang_vel = quat_log(quat_mul(quat_conjugate(before), now)) * fps
    joint_vel = joint_pos.diff(dim=-2) * fps
    return torch.cat((root_pos[..., 1:, 2:], up, joint_pos[..., 1:, :], lin_vel, ang_vel, joint_vel), dim=-1)


def up_axis(quat: Tensor) -> Tensor:
    """The world's up axis in the frame of an orientation (x, y, z, w): R^T e_z, the third row of R, shape [..., 3]."""
    x, y, z, w = quat.unbind(-1)
    return torch.stack((2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x.square() + y.square())), dim=-1)


@lru_cache(maxsize=8)
def _limits(layout: StateLayout, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Joint limits [rad], shape [num_joints, 2]; copied to the device once, not at every step."""
    return torch.tensor(layout.joint_pos_limits, device=device, dtype=dtype)


def advance(state: Tensor, velocity: Tensor, layout: StateLayout) -> Tensor:
    """The state one frame later, given the velocities there: the semi-implicit step of this module's first lines.

    Joints stop at their limits, and a joint that was stopped has the velocity with which it got there.

    Args:
        state: Shape [..., dim].
        velocity: Next velocities, shape [..., num_velocities].
        layout: Of both.
    """
    place, of_velocity, dt = layout.slices, layout.velocity_slices, 1.0 / layout.fps
    limits = _limits(layout, state.device, state.dtype)
    lin_vel, ang_vel = velocity[..., of_velocity["root_lin_vel_b"]], velocity[..., of_velocity["root_ang_vel_b"]]
    up = quat_rotate(quat_exp(-dt * ang_vel), state[..., place["up_b"]])
    up = torch.nn.functional.normalize(up, dim=-1)
    height = state[..., place["root_height"]] + dt * (up * lin_vel).sum(-1, keepdim=True)
    before = state[..., place["joint_pos"]]
    wanted = before + dt * velocity[..., of_velocity["joint_vel"]]
    joint_pos = torch.minimum(torch.maximum(wanted, limits[:, 0]), limits[:, 1])
    joint_vel = velocity[..., of_velocity["joint_vel"]] + (joint_pos - wanted) / dt
    return torch.cat((height, up, joint_pos, lin_vel, ang_vel, joint_vel), dim=-1)


def root_path(states: Tensor, root_pos: Tensor, root_quat: Tensor, layout: StateLayout) -> tuple[Tensor, Tensor]:
    """Place and orientation of the root along a sequence of states.

    Args:
        states: Shape [batch, num_frames, dim].
        root_pos: In the world, at the frame before the first state [m], shape [batch, 3].
        root_quat: Likewise (x, y, z, w), shape [batch, 4].
        layout: Of the states.

    Returns:
        Positions [m], shape [batch, num_frames, 3], and orientations, shape [batch, num_frames, 4].
    """
    place, dt = layout.slices, 1.0 / layout.fps
    turns = quat_exp(dt * states[..., place["root_ang_vel_b"]])
    positions, orientations = [], []
    for frame in range(states.shape[1]):
        root_quat = torch.nn.functional.normalize(quat_mul(root_quat, turns[:, frame]), dim=-1)
        root_pos = root_pos + dt * quat_rotate(root_quat, states[:, frame, place["root_lin_vel_b"]])
        positions.append(root_pos)
        orientations.append(root_quat)
    return torch.stack(positions, dim=1), torch.stack(orientations, dim=1)
