"""How well joint targets reproduce a clip: open-loop windows, and the whole clip from its first frame."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
import torch

from whole_body_tracking.evaluation.judging import task_failures
from whole_body_tracking.evaluation.recording import Recording
from whole_body_tracking.evaluation.summary import measure
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.conversion.convert import convert
from whole_body_tracking.motion.conversion.readers import RawMotion
from whole_body_tracking.sim2sim.criteria import TrackingRewards, TrackingTerminations
from whole_body_tracking.sim2sim.simulation import Simulation
from whole_body_tracking.tracking.errors import BodyState

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
    """Mean distance of the tracked bodies over the steps before a termination [m]."""
    reward: float
    """Tracking reward over the same steps, as a share of its maximum."""


def start(simulation: Simulation, qpos: np.ndarray, qvel: np.ndarray) -> None:
    """Put the robot into a state at time zero, without a warm start: two plays from one state are the same."""
    mujoco.mj_resetData(simulation.model, simulation.data)
    simulation.data.qpos[:], simulation.data.qvel[:] = qpos, qvel


def play(reference: ReferenceStates, targets: np.ndarray) -> Playback:
    """Play joint targets open loop from the clip's first frame.

    Args:
        reference: The clip.
        targets: Joint targets [rad] in the robot's order, shape [num_frames, num_joints].
    """
    simulation = Simulation(reference.robot, drives_of(reference.robot, reference.control_dt))
    bodies = simulation.body_ids(reference.robot.tracked_body_names)
    start(simulation, reference.qpos[0], reference.qvel[0])
    qpos, steps, lost = [reference.qpos[0]], [], False
    while len(steps) < reference.num_frames - 1 and not lost:
        for frame in range(len(steps) + 1, min(len(steps) + 1 + PLAYED_AT_ONCE, reference.num_frames)):
            simulation.step(targets[frame])
            qpos.append(simulation.data.qpos.copy())
            joints = simulation.data.qpos[7:].copy(), simulation.data.qvel[6:].copy()
            steps.append((*(values.copy() for values in simulation.bodies(bodies)), *joints, targets[frame]))
        lost = bool(task_failures(_recording(steps[-PLAYED_AT_ONCE:], len(qpos) - 1, reference), CRITERIA).any())
    return _judged(np.stack(qpos), _recording(steps, len(steps), reference), reference)


CRITERIA = TrackingTerminations()


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


def _judged(qpos: np.ndarray, recording: Recording, reference: ReferenceStates) -> Playback:
    measured = measure(recording, TrackingRewards(), CRITERIA, reference.robot.body_names[0]).values
    steps, failed = len(recording.joint_pos), bool(task_failures(recording, CRITERIA).any())
    return Playback(
        qpos=qpos,
        body_error=(recording.ref.pos_w - recording.robot.pos_w).norm(dim=-1).mean(-1)[:, 0].numpy(),
        finished=not failed and steps == reference.num_frames - 1,
        num_survived=round(float(measured["survived_s"]) / recording.step_dt),
        mpkpe=float(measured["mpkpe"]),
        reward=float(measured["tracking_reward"]),
    )


def _recording(steps: list[tuple[np.ndarray, ...]], last_frame: int, reference: ReferenceStates) -> Recording:
    """The steps up to a frame as a recording of one rollout."""
    pos, quat, lin_vel, ang_vel, joint_pos, joint_vel, targets = (
        torch.from_numpy(np.stack(values)).float()[:, None] for values in zip(*steps, strict=True)
    )
    clip, robot = reference.clip, reference.robot
    frames = slice(last_frame + 1 - len(steps), last_frame + 1)
    bodies = clip.body_indices(robot.tracked_body_names)
    ref = (
        torch.from_numpy(values[frames][:, None, bodies])
        for values in (clip.body_pos_w, clip.body_quat_w, clip.body_lin_vel_w, clip.body_ang_vel_w)
    )
    return Recording(
        ref=BodyState(*ref),
        robot=BodyState(pos, quat, lin_vel, ang_vel),
        ref_joint_pos=torch.from_numpy(reference.joint_pos[frames]).float()[:, None],
        joint_pos=joint_pos,
        joint_vel=joint_vel,
        actions=targets,
        clip_ids=torch.zeros(1, dtype=torch.long),
        num_steps=torch.tensor([len(steps)]),
        body_names=list(robot.tracked_body_names),
        anchor_idx=robot.tracked_body_names.index(robot.anchor_body_name),
        step_dt=reference.control_dt,
    )
