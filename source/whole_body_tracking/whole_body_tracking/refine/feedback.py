"""Targets corrected by the joint error that they leave: action += alpha * error, step by step of the clip.

Here for the record: it makes single steps exact, and cannot hold the root, which no motor moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .native_physics import NativePhysics
from .reference import ReferenceStates

PROBE = 0.01
"""Change of a target from which its effect is measured [rad]."""
SAFE_SHARE = 0.9
"""Share of the step size that corrects an error at once; twice that size is where corrections diverge."""
DIVERGED = 2.0
"""Factor over the best error at which iterating stops."""


@dataclass(frozen=True)
class FeedbackResult:
    """Joint targets after correction."""

    joint_target: np.ndarray
    """The best iterate [rad] in the robot's order, shape [num_frames, num_joints]."""
    errors: list[float]
    """Mean absolute joint error of single steps before each correction, and after the last [rad]."""
    safe_alpha: float
    """Largest step size that corrects every joint without overshoot, times 0.9."""
    alpha: float
    diverged: bool

    @property
    def best_iteration(self) -> int:
        """Corrections that the kept targets have had."""
        return int(np.argmin(self.errors))


def feedback_targets(
    physics: NativePhysics,
    reference: ReferenceStates,
    targets: np.ndarray,
    alpha: float | None = None,
    iterations: int = 10,
    report: Callable[[int], None] = lambda iteration: None,
) -> FeedbackResult:
    """Correct joint targets by alpha times the joint error of every single step from the clip's states.

    A target's effect on its own joint after one step, g = dq / dtarget, is measured; errors shrink by 1 - alpha g, so
    alpha = 1 / max(g) corrects the quickest joint at once and anything above 2 / max(g) makes it diverge.

    Args:
        physics: The robot.
        reference: The clip.
        targets: Joint targets [rad] in the robot's order, shape [num_frames, num_joints].
        alpha: Step size; None takes the safe one.
        iterations: Corrections.
        report: Called with the number of corrections made.

    Raises:
        ValueError: If ``alpha`` or ``iterations`` is not positive.
    """
    if iterations < 1 or (alpha is not None and not alpha > 0.0):
        raise ValueError(f"--alpha {alpha} and --iterations {iterations} should both be positive.")
    safe = safe_step_size(physics, reference, targets)
    alpha = safe if alpha is None else alpha
    error = single_step_error(physics, reference, targets)
    best, errors, diverged = targets, [float(np.abs(error).mean())], False
    for iteration in range(iterations):
        targets = targets.copy()
        targets[1:] += alpha * error
        error = single_step_error(physics, reference, targets)
        size = float(np.nan_to_num(np.abs(error).mean(), nan=np.inf))
        if size < min(errors):
            best = targets
        errors.append(size)
        report(iteration + 1)
        if size > DIVERGED * min(errors):
            diverged = True
            break
    return FeedbackResult(best, errors, safe, alpha, diverged)


def single_step_error(physics: NativePhysics, reference: ReferenceStates, targets: np.ndarray) -> np.ndarray:
    """Reference minus robot joint positions after one step from each state of the clip [rad], [num_steps, joints]."""
    played = physics.roll_out(reference.qpos[:-1], reference.qvel[:-1], targets[1:, None])
    return reference.joint_pos[1:] - played.qpos[:, 0, 7:]


def safe_step_size(physics: NativePhysics, reference: ReferenceStates, targets: np.ndarray) -> float:
    """0.9 over the largest effect that a target has on its own joint within a step."""
    frames = np.unique(np.linspace(0, reference.num_frames - 2, 20).astype(int))
    qpos, qvel, held = reference.qpos[frames], reference.qvel[frames], targets[frames + 1]
    num_joints = held.shape[1]
    probed = held[:, None] + PROBE * np.eye(num_joints)
    flat = probed.reshape(-1, 1, num_joints)
    repeated = [np.repeat(values, num_joints, axis=0) for values in (qpos, qvel)]
    moved = physics.roll_out(*repeated, flat).qpos[:, 0, 7:].reshape(len(frames), num_joints, num_joints)
    still = physics.roll_out(qpos, qvel, held[:, None]).qpos[:, 0, 7:]
    effect = (np.diagonal(moved, axis1=1, axis2=2) - still) / PROBE
    return float(SAFE_SHARE / effect.max())
