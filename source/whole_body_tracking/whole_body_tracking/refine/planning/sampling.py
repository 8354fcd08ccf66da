"""Sampling around joint targets: noise on knots, a softmax over what the physics makes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whole_body_tracking.refine.native_physics import NativePhysics, Trajectories
from whole_body_tracking.refine.reference import ReferenceStates

from .tracking_cost import tracking_cost


@dataclass(frozen=True)
class SamplingSettings:
    """Settings of the sampling planner; docs/refinement.md says what others give."""

    samples: int = 64
    """Trajectories of one round."""
    rounds: int = 3
    """Rounds of one plan, each with half the noise of the one before."""
    horizon: int = 24
    """Steps planned ahead."""
    knot_spacing: int = 4
    """Steps between knots of the noise, which is linear between them."""
    replan_every: int = 3
    """Steps executed before planning again."""
    noise: float = 0.5
    """Standard deviation of the first round's noise, in action scales of the joints."""
    temperature: float = 0.05
    """Softness of the mean over trajectories, whose costs are standardised."""
    offset_cost: float = 1e-3
    """Cost of offsets, per squared action scale: keeps targets near the feed-forward ones."""

    def __post_init__(self):
        for name in ("samples", "rounds", "horizon", "knot_spacing", "replan_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} should be at least 1.")
        if self.samples < 2:
            raise ValueError(f"samples {self.samples} should be at least 2: one of them is the plan without noise.")
        if self.replan_every > self.horizon:
            raise ValueError(f"replan_every {self.replan_every} should be at most the horizon, {self.horizon}.")


class SamplingPlanner:
    """Improves offsets from feed-forward joint targets for several robots in lockstep (MPPI on knots)."""

    def __init__(
        self,
        physics: NativePhysics,
        reference: ReferenceStates,
        targets: np.ndarray,
        settings: SamplingSettings,
        seed: int = 0,
    ):
        """Prepare.

        Args:
            physics: The robot.
            reference: The clip.
            targets: Feed-forward joint targets [rad] in the robot's order, shape [num_frames, num_joints].
            settings: Of the planner.
            seed: Of the noise; the same seed gives the same plans.
        """
        self.physics, self.reference, self.targets, self.settings = physics, reference, targets, settings
        self.rng = np.random.default_rng(seed)
        steps, knots = np.arange(1, settings.horizon + 1), np.arange(settings.horizon // settings.knot_spacing + 1)
        distance = np.abs(steps[:, None] / settings.knot_spacing - knots)
        self._interpolation = np.maximum(0.0, 1.0 - distance)

    def frames(self, frames: np.ndarray) -> np.ndarray:
        """Frames that the steps of plans reach, the clip's last one past its end, shape [num_envs, horizon]."""
        ahead = np.asarray(frames)[:, None] + np.arange(1, self.settings.horizon + 1)
        return np.minimum(ahead, self.reference.num_frames - 1)

    def no_offsets(self, num_envs: int) -> np.ndarray:
        """Offsets of plans that follow the feed-forward targets, shape [num_envs, horizon, num_joints]."""
        return np.zeros((num_envs, self.settings.horizon, self.targets.shape[1]))

    def plan(
        self,
        qpos: np.ndarray,
        qvel: np.ndarray,
        frames: np.ndarray,
        offsets: np.ndarray,
        effort: int = 1,
    ) -> np.ndarray:
        """Improve the offsets of plans.

        Args:
            qpos: MuJoCo's positions of the robots, shape [num_envs, nq].
            qvel: MuJoCo's velocities, shape [num_envs, nv].
            frames: Frame that each robot is at, shape [num_envs].
            offsets: Offsets from the feed-forward targets [rad], shape [num_envs, horizon, num_joints].
            effort: Factor on the number of samples.
        """
        ahead = self.frames(frames)
        for round_index in range(self.settings.rounds):
            noise = self._noise(len(qpos), self.settings.samples * effort, round_index)
            candidates = offsets[:, None] + noise
            cost = self._cost(qpos, qvel, ahead, candidates)
            offsets = offsets + np.einsum("en,enhj->ehj", self._weights(cost), noise)
        return offsets

    def _noise(self, num_envs: int, samples: int, round_index: int) -> np.ndarray:
        shape = (num_envs, samples, self._interpolation.shape[1], self.targets.shape[1])
        knots = self.rng.normal(size=shape) * self.settings.noise * 0.5**round_index * self.physics.robot.action_scale
        noise = np.einsum("hk,enkj->enhj", self._interpolation, knots)
        noise[:, 0] = 0.0
        return noise

    def _cost(self, qpos: np.ndarray, qvel: np.ndarray, ahead: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Mean cost of candidates, shape [num_envs, samples]."""
        num_envs, samples, horizon, num_joints = offsets.shape
        targets = self.targets[ahead][:, None] + offsets
        played = self.physics.roll_out(
            np.repeat(qpos, samples, axis=0),
            np.repeat(qvel, samples, axis=0),
            targets.reshape(num_envs * samples, horizon, num_joints),
        )
        played = Trajectories(
            *(values.reshape(num_envs, samples, *values.shape[1:]) for values in vars(played).values())
        )
        tracking = tracking_cost(played, self.reference, ahead[:, None]).mean(-1)
        effort = np.square(offsets / self.physics.robot.action_scale).mean((-1, -2))
        return tracking + self.settings.offset_cost * effort

    def _weights(self, cost: np.ndarray) -> np.ndarray:
        """Softmax of the standardised costs of each robot's candidates, shape [num_envs, samples]."""
        above = cost - cost.min(axis=1, keepdims=True)
        weights = np.exp(-above / (self.settings.temperature * cost.std(axis=1, keepdims=True) + 1e-9))
        return weights / weights.sum(axis=1, keepdims=True)
