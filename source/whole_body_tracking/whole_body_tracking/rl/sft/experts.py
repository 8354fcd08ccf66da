"""Who labels: refined targets of a clip, and the expert that suits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.names import require_known
from whole_body_tracking.refine.channels import JOINT_TARGET, ORIGIN, read_joint_targets
from whole_body_tracking.refine.methods import RefineSettings, method_names, pose_problem, refine
from whole_body_tracking.refine.planning.expert import SamplingExpert
from whole_body_tracking.refine.planning.feedback_expert import FeedbackExpert
from whole_body_tracking.robots import RobotModel

from .collection import Expert

if TYPE_CHECKING:
    from whole_body_tracking.tasks.tracking.mdp.commands_cfg import MotionCommandCfg

AXES = ("x", "y", "z", "roll", "pitch", "yaw")
"""Axes of the task's noise, in MuJoCo's order."""
EXPERTS = ("auto", "feedback", "sampling")
"""``auto`` takes ``feedback`` where it holds the clip, else ``sampling``."""
TRIALS, TRIAL_SECONDS, HOLDS = 16, 2.0, 0.9
"""Robots that are put to the test, for how long [s], and the share of them that has to stay up."""
TRIED_SHARES = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
"""Shares of the task's start noise that ``feedback`` is tried with, until it no longer holds."""
SAMPLING_SHARE = 0.5
"""Share of the task's start noise from which ``sampling`` recovers with its default settings."""


@dataclass(frozen=True)
class ChosenExpert:
    """The expert of a clip, and what it can cope with."""

    name: str
    expert: Expert
    noise_share: float
    """Share of the task's start noise and pushes from which it recovers, in [0, 1]."""
    why: str


@dataclass(frozen=True)
class Refinement:
    """Where the feed-forward targets of a clip come from."""

    method: str | None = None
    """Method to refine with; None takes the clip's own targets, else those of inverse dynamics."""
    iterations: int | None = None
    """Of the method; None is its default."""
    file: Path | None = None
    """Refined clip or array of targets instead."""


def refined_clip(
    clip: MotionClip,
    robot: RobotModel,
    wanted: Refinement,
    seed: int,
    report: Callable[[float], None] = lambda share: None,
) -> MotionClip:
    """A clip with the joint targets that are wanted among its channels.

    Args:
        clip: What to follow.
        robot: Who follows it.
        wanted: Where the targets come from.
        seed: Of the method's noise.
        report: Called with the share done.

    Raises:
        FileNotFoundError: If the file of targets does not exist.
        ValueError: If its targets do not fit the clip, or a method or setting is wrong.
    """
    if wanted.file is not None:
        channels, method = {JOINT_TARGET: read_joint_targets(wanted.file, clip)}, f"loaded from {wanted.file.name}"
    elif wanted.method is not None:
        problem, (method,) = pose_problem(clip, robot), method_names([wanted.method])
        refined = refine(problem, method, RefineSettings(iterations=wanted.iterations, seed=seed), report)
        for note in refined.notes:
            print(f"[WARNING] {clip.name}, {method}: {note}")
        channels = refined.channels(problem)
    else:
        return clip
    origin = {"clip": clip.name, "sha256": clip.digest, "method": method}
    return replace(clip, channels=clip.channels | channels, source=clip.source | {ORIGIN: origin})


def make_expert(name: str, clip: MotionClip, robot: RobotModel, motion: MotionCommandCfg, seed: int) -> ChosenExpert:
    """The expert of a clip.

    Args:
        name: One of :data:`EXPERTS`.
        clip: With the channel ``joint_target`` if its targets should not come from inverse dynamics.
        robot: Who follows it.
        motion: Config whose start noise counts.
        seed: Of the sampling expert's noise and of the trials.

    Raises:
        ValueError: If the name is unknown, the clip does not fit the robot, the physics or the ground, or ``feedback``
            is asked for and does not hold it.
    """
    require_known(name, EXPERTS, "expert")
    targets = clip.channels.get(JOINT_TARGET)
    if name == "sampling":
        return ChosenExpert(name, SamplingExpert(clip, robot, targets, seed=seed), SAMPLING_SHARE, "as asked for")
    feedback = FeedbackExpert(clip, robot, targets)
    share, why = largest_share_held(feedback, motion, seed)
    if share > 0.0:
        return ChosenExpert("feedback", feedback, share, why)
    feedback.close()
    if name == "feedback":
        raise ValueError(f"{clip.name}: {why}. Use --expert sampling, or auto.")
    return ChosenExpert("sampling", SamplingExpert(clip, robot, targets, seed=seed), SAMPLING_SHARE, why)


def largest_share_held(expert: FeedbackExpert, motion: MotionCommandCfg, seed: int) -> tuple[float, str]:
    """Largest share of a task's start noise from which feedback keeps robots on their feet, 0 for none, and why."""
    reference, held = expert.reference, 0.0
    num_steps = round(TRIAL_SECONDS / reference.control_dt)
    frames = np.linspace(0, max(0, reference.num_frames - 1 - num_steps), TRIALS).astype(int)
    for share in TRIED_SHARES:
        stay = expert.share_held(perturbed_states(expert, frames, motion, share, seed), frames, num_steps)
        why = f"feedback keeps {stay:.0%} of {TRIALS} robots up for {TRIAL_SECONDS:g} s from {share:.0%} of the noise"
        if stay < HOLDS:
            break
        held = share
    return held, why


def perturbed_states(
    expert: FeedbackExpert, frames: np.ndarray, motion: MotionCommandCfg, share: float, seed: int
) -> np.ndarray:
    """States of a clip with a share of a task's start noise, shape [num_frames, nq + nv]."""
    rng, (qpos, qvel) = np.random.default_rng(seed), (expert.qpos[frames].copy(), expert.qvel[frames].copy())
    ranges = [cfg.get(axis, (0.0, 0.0)) for cfg in (motion.pose_range, motion.velocity_range) for axis in AXES]
    low, high = share * np.array(ranges).T
    noise = rng.uniform(low, high, (len(frames), 12))
    turn, root = Rotation.from_euler("xyz", noise[:, 3:6]), Rotation.from_quat(qpos[:, [4, 5, 6, 3]])
    qpos[:, :3] += noise[:, :3]
    qpos[:, 3:7] = (turn * root).as_quat()[:, [3, 0, 1, 2]]
    joints = share * np.array(motion.joint_position_range)
    qpos[:, 7:] += rng.uniform(joints[0], joints[1], qpos[:, 7:].shape)
    qvel[:, :3] += noise[:, 6:9]
    qvel[:, 3:6] += root.inv().apply(noise[:, 9:])
    return np.hstack([qpos, qvel])
