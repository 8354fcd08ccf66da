"""Recordings of rollouts: trajectories of robot and reference at the same instants."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from whole_body_tracking.tracking.errors import BodyState, TrackingErrors, tracking_errors

DIVERGED = 1e6
"""A state with a larger number diverged [m, rad, m/s, rad/s]; sums of squares of smaller ones do not overflow."""
PER_ROLLOUT = ("clip_ids", "num_steps", "num_recorded")


@dataclass
class Recording:
    """Trajectories of all rollouts, shape [num_steps, num_rollouts, ...].

    Step t of a rollout that starts at frame f is scored against frame f + t + 1.
    """

    ref: BodyState
    """Reference bodies, relative to the origin of its env."""
    robot: BodyState
    """Robot bodies, relative to the origin of its env."""
    ref_joint_pos: Tensor
    """Reference joint positions [rad]."""
    joint_pos: Tensor
    """Robot joint positions [rad]."""
    joint_vel: Tensor
    """Robot joint velocities [rad/s]."""
    actions: Tensor
    """Raw actions of the policy."""
    clip_ids: Tensor
    """Clip of each rollout, shape [num_rollouts]."""
    num_steps: Tensor
    """Steps of each rollout from its start frame to the end of its clip, shape [num_rollouts]."""
    body_names: list[str]
    anchor_idx: int
    step_dt: float
    """Duration of a step [s]."""
    joint_torque: Tensor | None = None
    """Torques of the joint drives [N m], shaped like ``joint_vel``; None where they are unknown."""
    num_recorded: Tensor | None = None
    """Steps of each rollout before it was stopped, shape [num_rollouts]; None: all of them."""

    @property
    def num_rollouts(self) -> int:
        return len(self.clip_ids)

    @property
    def diverged(self) -> Tensor:
        """Whether anything the robot did is not finite or beyond :data:`DIVERGED`, shape [num_steps, num_rollouts]."""
        bodies = [getattr(self.robot, f.name).flatten(2) for f in fields(self.robot)]
        joints = [self.joint_pos, self.joint_vel, self.actions]
        joints += [] if self.joint_torque is None else [self.joint_torque]
        return ~torch.stack([(value.abs() < DIVERGED).all(-1) for value in bodies + joints]).all(0)

    def errors(self) -> TrackingErrors:
        """Squared errors of every step, each of shape [num_steps, num_rollouts, ...]."""
        shape = self.joint_pos.shape[:2]
        flat = [BodyState(*(getattr(s, f.name).flatten(0, 1) for f in fields(s))) for s in (self.ref, self.robot)]
        errors = tracking_errors(*flat, anchor_idx=self.anchor_idx)
        return TrackingErrors(**{name: value.unflatten(0, shape) for name, value in vars(errors).items()})

    def num_finite_steps(self, index: int) -> int:
        """Steps of a rollout before it diverges, at most those of its clip."""
        return int((~self.diverged[: int(self.num_steps[index]), index]).cumprod(0).sum())

    def rollout(self, index: int, max_steps: int | None = None) -> Recording:
        """One rollout, cut to the steps of its clip that were recorded, and to ``max_steps``."""
        steps = int((self.num_steps if self.num_recorded is None else self.num_recorded)[index])
        steps = steps if max_steps is None else min(steps, max_steps)

        def cut(value):
            if isinstance(value, BodyState):
                return BodyState(*(cut(getattr(value, f.name)) for f in fields(value)))
            return value[:steps, index : index + 1].clone() if isinstance(value, Tensor) else value

        values = {f.name: cut(getattr(self, f.name)) for f in fields(self) if f.name not in PER_ROLLOUT}
        rows = {name: getattr(self, name) for name in PER_ROLLOUT}
        return Recording(**values, **{name: None if v is None else v[index : index + 1] for name, v in rows.items()})
