"""Play clips on the robot of an engine and compare where its bodies end up with what the clips say."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import RobotModel

from .tracks import Track

if TYPE_CHECKING:
    from .engine import EngineRobot


@dataclass(frozen=True)
class LargestDifference:
    """The largest value of a difference, and where it occurs."""

    value: float
    body_name: str
    frame: int


@dataclass(frozen=True)
class Replay:
    """Body poses that an engine reported for a clip."""

    clip: MotionClip
    body_names: tuple[str, ...]
    """Bodies in the order of the arrays."""
    body_pos_w: np.ndarray
    """Positions in the engine [m], shape [num_frames, num_bodies, 3]."""
    body_quat_w: np.ndarray
    """Orientations in the engine (x, y, z, w), shape [num_frames, num_bodies, 4]."""
    pos_difference: np.ndarray
    """Distance between engine and clip [m], shape [num_frames, num_bodies]."""
    ori_difference: np.ndarray
    """Angle between engine and clip [rad], shape [num_frames, num_bodies]."""

    @property
    def largest_pos_difference(self) -> LargestDifference:
        return self._largest(self.pos_difference)

    @property
    def largest_ori_difference(self) -> LargestDifference:
        return self._largest(self.ori_difference)

    def _largest(self, values: np.ndarray) -> LargestDifference:
        frame, body = np.unravel_index(values.argmax(), values.shape)
        return LargestDifference(float(values[frame, body]), self.body_names[body], int(frame))


def replay_clip(robot: EngineRobot, clip: MotionClip, real_time: bool = False) -> Replay:
    """Put the robot into every frame of a clip and read its body poses back; dynamics never run.

    Args:
        robot: The engine's robot.
        clip: A clip of that robot.
        real_time: Whether to render each frame and keep the clip's pace, for Isaac Lab's viewers.
    """
    poses, next_frame = [], time.monotonic()
    for state in robot.states_of(clip):
        robot.set_state(state)
        poses.append(robot.body_poses())
        if real_time:
            robot.sim.render()
            next_frame += 1.0 / clip.fps
            time.sleep(max(0.0, next_frame - time.monotonic()))
    return compare(clip, tuple(robot.body_names), torch.stack(poses).cpu().numpy())


def compare(clip: MotionClip, body_names: tuple[str, ...], poses: np.ndarray) -> Replay:
    """Compare poses with a clip's.

    Args:
        clip: The clip.
        body_names: Bodies of ``poses``; the clip stores them all.
        poses: Positions [m] and quaternions (x, y, z, w), shape [num_frames, num_bodies, 7].
    """
    bodies = clip.body_indices(body_names)
    pos, quat = poses[..., :3], poses[..., 3:]
    pos_difference = np.linalg.norm(pos.astype(np.float64) - clip.body_pos_w[:, bodies], axis=-1)
    expected = Rotation.from_quat(clip.body_quat_w[:, bodies].reshape(-1, 4))
    ori_difference = (expected.inv() * Rotation.from_quat(quat.reshape(-1, 4))).magnitude()
    return Replay(clip, body_names, pos, quat, pos_difference, ori_difference.reshape(pos_difference.shape))


def replay_track(name: str, robot: RobotModel, replays: Sequence[Replay]) -> Track:
    """Return a track of one or more replays, one after the other."""
    pos = np.concatenate([replay.body_pos_w for replay in replays])
    quat = np.concatenate([replay.body_quat_w for replay in replays])
    return Track(name, robot, replays[0].body_names, pos, quat)


def clips_track(name: str, robot: RobotModel, replays: Sequence[Replay], offset: np.ndarray) -> Track:
    """Return a ghost of what the replayed clips say, one after the other, moved by an offset [m], shape [3]."""
    bodies = [replay.clip.body_indices(replays[0].body_names) for replay in replays]
    pos = [replay.clip.body_pos_w[:, index] for replay, index in zip(replays, bodies, strict=True)]
    quat = [replay.clip.body_quat_w[:, index] for replay, index in zip(replays, bodies, strict=True)]
    return Track(name, robot, replays[0].body_names, np.concatenate(pos) + offset, np.concatenate(quat), ghost=True)
