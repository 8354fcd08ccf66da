"""Gauss-Newton on joint targets through the physics: finite differences of whole windows in one batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whole_body_tracking.refine.native_physics import NativePhysics
from whole_body_tracking.refine.reference import ReferenceStates

from .tracking_cost import tracking_residuals

DAMPINGS = (0.01, 0.1, 1.0, 10.0)
"""Levenberg's damping, tried side by side, in units of the mean curvature."""
STEP_SHARES = (1.0, 0.5, 0.25)
"""Shares of each damped step that are tried, times the learning rate."""


@dataclass(frozen=True)
class GradientSettings:
    """Settings of the Gauss-Newton planner."""

    horizon: int = 16
    """Steps planned ahead."""
    knot_spacing: int = 4
    """Steps between knots of the offsets, which are linear between them."""
    replan_every: int = 2
    """Steps executed before planning again."""
    iterations: int = 1
    """Gauss-Newton steps of one plan."""
    learning_rate: float = 1.0
    """Factor on the steps that are tried."""
    probe: float = 0.03
    """Change of a knot from which gradients are taken, in action scales."""
    offset_cost: float = 1e-3
    """Cost of offsets, per squared action scale."""

    def __post_init__(self):
        for name in ("horizon", "knot_spacing", "replan_every", "iterations", "learning_rate", "probe"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} {getattr(self, name)} should be positive.")
        if self.replan_every > self.horizon:
            raise ValueError(f"replan_every {self.replan_every} should be at most the horizon, {self.horizon}.")


class GaussNewtonPlanner:
    """Improves offsets from feed-forward joint targets of one robot by damped least squares."""

    def __init__(
        self, physics: NativePhysics, reference: ReferenceStates, targets: np.ndarray, settings: GradientSettings
    ):
        """Prepare.

        Args:
            physics: The robot.
            reference: The clip.
            targets: Feed-forward joint targets [rad] in the robot's order, shape [num_frames, num_joints].
            settings: Of the planner.
        """
        self.physics, self.reference, self.targets, self.settings = physics, reference, targets, settings
        knots = np.arange(settings.horizon // settings.knot_spacing + 1)
        steps = np.arange(1, settings.horizon + 1)
        weights = np.maximum(0.0, 1.0 - np.abs(steps[:, None] / settings.knot_spacing - knots))
        num_joints = targets.shape[1]
        scale = np.diag(physics.robot.action_scale)
        # Offsets of all steps for a unit of each parameter: a knot of one joint, in action scales.
        basis = np.einsum("hk,ij->kihj", weights, scale)
        self._basis = basis.reshape(len(knots) * num_joints, settings.horizon, num_joints)

    def no_offsets(self, num_envs: int) -> np.ndarray:
        """Offsets of plans that follow the feed-forward targets, shape [num_envs, horizon, num_joints]."""
        return np.zeros((num_envs, self.settings.horizon, self.targets.shape[1]))

    def plan(
        self, qpos: np.ndarray, qvel: np.ndarray, frames: np.ndarray, offsets: np.ndarray, effort: int = 1
    ) -> np.ndarray:
        """Improve the offsets of plans, one robot after another.

        Args:
            qpos: MuJoCo's positions of the robots, shape [num_envs, nq].
            qvel: MuJoCo's velocities, shape [num_envs, nv].
            frames: Frame that each robot is at, shape [num_envs].
            offsets: Offsets from the feed-forward targets [rad], shape [num_envs, horizon, num_joints].
            effort: Factor on the number of iterations.
        """
        return np.stack([self._plan_one(*one, effort) for one in zip(qpos, qvel, frames, offsets, strict=True)])

    def _plan_one(self, qpos: np.ndarray, qvel: np.ndarray, frame: int, offsets: np.ndarray, effort: int) -> np.ndarray:
        ahead = np.minimum(frame + np.arange(1, self.settings.horizon + 1), self.reference.num_frames - 1)
        for _ in range(self.settings.iterations * effort):
            probes = self.settings.probe * self._basis
            residuals = self._residuals(
                qpos, qvel, ahead, offsets + np.concatenate([np.zeros_like(probes[:1]), probes])
            )
            jacobian = (residuals[1:] - residuals[0]) / self.settings.probe
            steps = self._steps(jacobian, residuals[0])
            candidates = offsets + np.einsum("np,phj->nhj", steps, self._basis)
            costs = np.square(self._residuals(qpos, qvel, ahead, candidates)).sum(1)
            if costs.min() >= np.square(residuals[0]).sum():
                break
            offsets = candidates[costs.argmin()]
        return offsets

    def _steps(self, jacobian: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Damped steps to try, shape [num_steps, num_parameters]; ``jacobian`` has a row for each parameter."""
        curvature, slope = jacobian @ jacobian.T, jacobian @ residuals
        mean = np.trace(curvature) / len(curvature)
        damped = [-np.linalg.solve(curvature + share * mean * np.eye(len(curvature)), slope) for share in DAMPINGS]
        return np.concatenate([self.settings.learning_rate * share * np.stack(damped) for share in STEP_SHARES])

    def _residuals(self, qpos: np.ndarray, qvel: np.ndarray, ahead: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Residuals of candidates, shape [num_candidates, num_residuals]; squared and summed they are the cost."""
        count = len(offsets)
        start = np.repeat(qpos[None], count, axis=0), np.repeat(qvel[None], count, axis=0)
        played = self.physics.roll_out(*start, self.targets[ahead] + offsets)
        tracking = tracking_residuals(played, self.reference, ahead).reshape(count, -1)
        effort = offsets / self.physics.robot.action_scale * np.sqrt(self.settings.offset_cost / offsets.shape[-1])
        return np.concatenate([tracking, effort.reshape(count, -1)], axis=1)
