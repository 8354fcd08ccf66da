"""Who labels: refined targets of a clip, and the expert that suits it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.names import require_known
from whole_body_tracking.refine.channels import JOINT_TARGET, read_joint_targets, save_refined
from whole_body_tracking.refine.methods import RefineSettings, method_names, pose_problem, refine
from whole_body_tracking.refine.planning.expert import SamplingExpert
from whole_body_tracking.refine.planning.feedback_expert import FeedbackExpert
from whole_body_tracking.robots import RobotModel

from .collection import Expert

EXPERTS = ("auto", "feedback", "sampling")
"""``auto`` takes ``feedback`` where it holds the clip, else ``sampling``."""
TRIALS, TRIAL_SECONDS, HOLDS = 16, 2.0, 0.9
"""Robots that ``auto`` puts to the test, for how long [s], and the share of them that has to stay up."""
TRIAL_NOISE = np.array([0.03, 0.03, 0.005, 0.05, 0.05, 0.05, 0.25, 0.25, 0.1, 0.25, 0.25, 0.25])
"""Largest deviation of the root at the start of a trial, about half of the task's start noise: position [m], rotation
[rad], velocity [m/s], angular velocity [rad/s]."""


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
    folder: Path,
    seed: int,
    report: Callable[[float], None] = lambda share: None,
) -> tuple[MotionClip, Path | None]:
    """A clip with the targets that are wanted, and the file that holds it; the clip as it is and None without any.

    Args:
        clip: What to follow.
        robot: Who follows it.
        wanted: Where the targets come from.
        folder: Where a refined clip is written, under the clip's name.
        seed: Of the method's noise.
        report: Called with the share done.

    Raises:
        FileNotFoundError: If the file of targets does not exist.
        ValueError: If its targets do not fit the clip, or a method or setting is wrong.
    """
    path = folder / f"{clip.name}.npz"
    if wanted.file is not None:
        with_targets = replace(clip, channels=clip.channels | {JOINT_TARGET: read_joint_targets(wanted.file, clip)})
        save_refined(path, with_targets, {}, clip, f"loaded from {wanted.file.name}")
    elif wanted.method is not None:
        problem = pose_problem(clip, robot)
        (method,) = method_names([wanted.method])
        refined = refine(problem, method, RefineSettings(iterations=wanted.iterations, seed=seed), report)
        for note in refined.notes:
            print(f"[WARNING] {clip.name}, {method}: {note}")
        save_refined(path, clip, refined.channels(problem), clip, method)
    else:
        return clip, None
    return MotionClip.load(path), path


def make_expert(name: str, clip: MotionClip, robot: RobotModel, seed: int) -> tuple[str, Expert, str]:
    """The expert of a clip, by its name: its full name, itself, and why it was chosen.

    Args:
        name: One of :data:`EXPERTS`.
        clip: With the channel ``joint_target`` if its targets should not come from inverse dynamics.
        robot: Who follows it.
        seed: Of the sampling expert's noise and of the trials.

    Raises:
        ValueError: If the name is unknown, or the clip does not fit the robot, the physics or the ground.
    """
    require_known(name, EXPERTS, "expert")
    targets, why = clip.channels.get(JOINT_TARGET), "as asked for"
    if name != "sampling":
        began = time.perf_counter()
        feedback = FeedbackExpert(clip, robot, targets)
        if name == "feedback":
            return name, feedback, why
        frames = np.linspace(0, max(0, clip.num_frames - TRIAL_SECONDS * clip.fps), TRIALS).astype(int)
        num_steps = round(TRIAL_SECONDS * clip.fps)
        share = feedback.share_held(perturbed_states(feedback, frames, seed), frames, num_steps)
        seconds = time.perf_counter() - began
        why = f"feedback holds {share:.0%} of {TRIALS} robots for {TRIAL_SECONDS:g} s, found in {seconds:.0f} s"
        if share >= HOLDS:
            return "feedback", feedback, why
        feedback.close()
    return "sampling", SamplingExpert(clip, robot, targets, seed=seed), why


def perturbed_states(expert: FeedbackExpert, frames: np.ndarray, seed: int) -> np.ndarray:
    """States of the clip with roots that are off by :data:`TRIAL_NOISE`, shape [num_frames, nq + nv]."""
    rng, reference = np.random.default_rng(seed), expert.reference
    noise = rng.uniform(-1.0, 1.0, (len(frames), 12)) * TRIAL_NOISE
    qpos, qvel = reference.qpos[frames].copy(), reference.qvel[frames].copy()
    qpos[:, :3] += noise[:, :3]
    half = np.hstack([np.ones((len(frames), 1)), 0.5 * noise[:, 3:6]])  # small angles
    w, v = qpos[:, 3:4], qpos[:, 4:7]
    turned_w = w[:, 0] - (v * half[:, 1:]).sum(1)
    turned_v = w * half[:, 1:] + v + np.cross(v, half[:, 1:])
    quat = np.column_stack([turned_w, turned_v])
    qpos[:, 3:7] = quat / np.linalg.norm(quat, axis=1, keepdims=True)
    qvel[:, :6] += noise[:, 6:]
    return np.hstack([qpos, qvel])
