"""How well joint targets reproduce a clip: open-loop windows, and the whole clip from its first frame."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
import torch

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.conversion.convert import convert
from whole_body_tracking.motion.conversion.readers import RawMotion
from whole_body_tracking.robots.mujoco_simulation import Simulation
from whole_body_tracking.tracking.criteria import (
    HEIGHT_THRESHOLD,
    TILT_THRESHOLD,
    TrackingRewards,
    any_height_fails,
    height_fails,
    not_finite,
    tilt_fails,
    tracking_reward,
)
from whole_body_tracking.tracking.errors import BodyState, tracking_errors

from .native_physics import NativePhysics, drives_of
from .reference import ReferenceStates

WINDOW_STRIDE = 25
"""Frames between the starts of open-loop windows."""
MAX_WINDOWS = 40
"""Windows at most; a longer clip has them farther apart."""
PLAYED_AT_ONCE = 50
"""Steps played before looking whether the robot is lost."""


@dataclass(frozen=True)
class WindowErrors:
    """Mean errors over open-loop windows that start in states of the clip, by step within the window."""

    joint: np.ndarray
    """Mean absolute joint position error [rad], shape [num_steps]."""
    root: np.ndarray
    """Mean distance between robot and reference root [m], shape [num_steps]."""

    @property
    def num_steps(self) -> int:
        return len(self.joint)


def window_errors(
    physics: NativePhysics,
    reference: ReferenceStates,
    targets: np.ndarray,
    num_steps: int = 50,
    stride: int = WINDOW_STRIDE,
    max_windows: int = MAX_WINDOWS,
) -> WindowErrors:
    """Play joint targets open loop from states of the clip.

    Args:
        physics: The robot.
        reference: The clip.
        targets: Joint targets [rad] in the robot's order, shape [num_frames, num_joints].
        num_steps: Length of a window; at most the clip's steps.
        stride: Frames between starts.
        max_windows: Windows at most, spread over the clip.

    Raises:
        ValueError: If ``num_steps`` is not positive or the clip is shorter.
    """
    last = reference.num_frames - 1 - num_steps
    if num_steps < 1 or last < 0:
        raise ValueError(
            f"--num_steps {num_steps} should be between 1 and the {reference.num_frames - 1} steps of"
            f" {reference.clip.name}."
        )
    stride = max(stride, -(-(last + 1) // max_windows))
    starts = np.arange(0, last + 1, stride)
    frames = starts[:, None] + np.arange(1, num_steps + 1)
    played = physics.roll_out(reference.qpos[starts], reference.qvel[starts], targets[frames])
    joint = np.abs(played.qpos[..., 7:] - reference.joint_pos[frames]).mean((0, 2))
    root = np.linalg.norm(played.qpos[..., :3] - reference.qpos[frames, :3], axis=-1).mean(0)
    return WindowErrors(joint, root)


@dataclass(frozen=True)
class Playback:
    """What the robot did from the clip's first frame, until it was lost or at the end."""

    qpos: np.ndarray
    """MuJoCo's positions, the start included, shape [num_played + 1, nq]."""
    body_error: np.ndarray
    """Mean distance of the tracked bodies at each step [m], shape [num_played]."""
    finished: bool
    """Whether the last frame was reached without a termination of the tracking task."""
    num_survived: int
    """Steps before the first termination."""
    mpkpe: float
    """Mean distance of the tracked bodies up to the first termination [m]."""
    reward: float
    """Tracking reward over the same steps, as a share of its maximum."""


def start(simulation: Simulation, qpos: np.ndarray, qvel: np.ndarray) -> None:
    """Put the robot into a state at time zero, without a warm start: two plays from one state are the same."""
    mujoco.mj_resetData(simulation.model, simulation.data)
    simulation.data.qpos[:], simulation.data.qvel[:] = qpos, qvel


def play(reference: ReferenceStates, targets: np.ndarray) -> Playback:
    """Play joint targets open loop from the clip's first frame, to its end or until the robot is lost.

    Args:
        reference: The clip.
        targets: Joint targets [rad] in the robot's order, shape [num_frames, num_joints].
    """
    simulation = Simulation(reference.robot, drives_of(reference.robot, reference.control_dt))
    bodies = simulation.body_ids(reference.robot.tracked_body_names)
    start(simulation, reference.qpos[0], reference.qvel[0])
    qpos, states, failed = [reference.qpos[0]], [], torch.zeros(0, dtype=torch.bool)
    while len(states) < reference.num_frames - 1 and not failed.any():
        for frame in range(len(states) + 1, min(len(states) + 1 + PLAYED_AT_ONCE, reference.num_frames)):
            simulation.step(targets[frame])
            qpos.append(simulation.data.qpos.copy())
            states.append([values.copy() for values in simulation.bodies(bodies)])
        failed = _failures(reference, _stacked(states), len(states))
    return _judged(reference, np.stack(qpos), _stacked(states), failed)


def played_clip(reference: ReferenceStates, playback: Playback) -> MotionClip:
    """What the physics did, as a clip of its own."""
    raw = RawMotion(
        fps=reference.clip.fps,
        root_pos=playback.qpos[:, :3],
        root_quat=np.roll(playback.qpos[:, 3:7], -1, axis=-1),
        joint_pos=playback.qpos[:, 7:],
        joint_names=reference.robot.joint_names,
        source=reference.clip.source | {"played": True},
    )
    return convert(raw, output_fps=raw.fps, robot=reference.robot)


def _stacked(states: list[list[np.ndarray]]) -> BodyState:
    return BodyState(*(torch.from_numpy(np.stack(values)).float() for values in zip(*states, strict=True)))


def _reference_bodies(reference: ReferenceStates, num_steps: int) -> BodyState:
    """Tracked bodies of the frames that the first steps should reach."""
    clip, bodies = reference.clip, reference.clip.body_indices(reference.robot.tracked_body_names)
    arrays = (clip.body_pos_w, clip.body_quat_w, clip.body_lin_vel_w, clip.body_ang_vel_w)
    return BodyState(*(torch.from_numpy(values[1 : 1 + num_steps, bodies]) for values in arrays))


def _failures(reference: ReferenceStates, played: BodyState, num_steps: int) -> torch.Tensor:
    """Whether a termination of the tracking task holds at each step, shape [num_steps]."""
    ref, names = _reference_bodies(reference, num_steps), reference.robot.tracked_body_names
    anchor = names.index(reference.robot.anchor_body_name)
    ends = [names.index(name) for name in reference.robot.end_effector_names]
    failed = height_fails(ref, played, anchor, HEIGHT_THRESHOLD) | tilt_fails(ref, played, anchor, TILT_THRESHOLD)
    return failed | any_height_fails(ref, played, ends, HEIGHT_THRESHOLD) | not_finite(played)


def _judged(reference: ReferenceStates, qpos: np.ndarray, played: BodyState, failed: torch.Tensor) -> Playback:
    num_steps = len(failed)
    ref = _reference_bodies(reference, num_steps)
    anchor = reference.robot.tracked_body_names.index(reference.robot.anchor_body_name)
    survived = int((failed.cumsum(0) == 0).sum())
    counted = slice(0, min(survived + 1, num_steps))  # the step of the failure too, as in an evaluation
    error = (ref.pos_w - played.pos_w).norm(dim=-1).mean(-1)
    reward = tracking_reward(tracking_errors(ref, played, anchor), TrackingRewards())
    return Playback(
        qpos=qpos,
        body_error=error.numpy(),
        finished=survived == reference.num_frames - 1,
        num_survived=survived,
        mpkpe=float(error[counted].mean()),
        reward=float(reward[counted].mean()),
    )
