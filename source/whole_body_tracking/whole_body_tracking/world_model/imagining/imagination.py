"""Rollouts of the policy in the world model, through which its cost is differentiated. No simulator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from whole_body_tracking.motion import MotionLibrary, MotionState
from whole_body_tracking.tracking.errors import BodyState

from .bodies import BodyKinematics
from .buffer import Moment
from .cost import CostWeights, effort_cost, masked_mean, tracking_cost
from .observing import Noise, Sight, observe
from .state import split

Network = Callable[[Tensor], Tensor]
"""From observations to actions, both of shape [batch, ...]."""
Model = Callable[[Tensor, Tensor], Tensor]
"""From states and joint targets to the next states."""


class Rollouts(NamedTuple):
    """Imagined rollouts."""

    costs: Tensor
    """Cost of every step, shape [horizon, batch]."""
    counts: Tensor
    """Whether a step is not past its clip's end, same shape."""
    state: Tensor
    """States after the last step, shape [batch, 13 + 2 * num_joints]."""
    last_action: Tensor
    """Actions of the last step, shape [batch, num_joints]."""
    goes_on: Tensor
    """Whether the clip has a frame after that of the last step, shape [batch]."""


@dataclass(frozen=True)
class Imagination:
    """A task as pure functions: what the policy sees, what its actions mean and what a step costs."""

    library: MotionLibrary
    body_ids: Tensor
    """Tracked bodies among those of the library, shape [num_bodies]."""
    ref_anchor_idx: int
    """Anchor among the bodies of the library."""
    kinematics: BodyKinematics
    functions: list[str]
    """Functions of the observation terms, in order."""
    noises: list[Noise | None]
    weights: CostWeights
    center: str
    """Joint target of a zero action: ``default``, ``reference`` or the library's channel ``joint_target``."""
    action_scale: Tensor
    """[rad], shape [num_joints]."""
    action_offset: Tensor
    """What randomisation adds to the targets of each env, or for ``default`` the targets themselves [rad], shape
    [num_envs, num_joints]."""
    default_joint_pos: Tensor
    """Of each env [rad], shape [num_envs, num_joints]."""

    def centers(self, clip_ids: Tensor, frames: Tensor, ref: MotionState) -> Tensor | float:
        """Joint targets of zero actions but for each env's offset [rad], shape [batch, num_joints]."""
        if self.center == "default":
            return 0.0
        return ref.joint_pos if self.center == "reference" else self.library.channel_at(self.center, clip_ids, frames)

    def observations(self, moment: Moment, state: Tensor, ref: MotionState, last: Tensor, noisy: bool) -> Tensor:
        """What the policy sees, shape [batch, width], of ``moment``'s envs in another state with another reference."""
        anchor_pos, anchor_quat = self.kinematics.anchor(state)
        sight = Sight(
            state,
            anchor_pos,
            anchor_quat,
            ref,
            self.ref_anchor_idx,
            last,
            self.default_joint_pos[moment.env_ids],
            moment.clip_ids,
            self.library.num_clips,
        )
        return observe(self.functions, sight, self.noises if noisy else None)

    def references(self, moment: Moment, num_steps: int) -> list[MotionState]:
        """Reference at the frame aimed at and at those that follow, held at the clip's last."""
        states = [self.library.state_at(moment.clip_ids, moment.frames + step) for step in range(num_steps)]
        return [_as(state, moment.state.dtype) for state in states]

    def rollouts(
        self, policy: Network, model: Model, moment: Moment, horizon: int, noise: float, max_gradient: float
    ) -> Rollouts:
        """Imagined rollouts, whose costs can be differentiated by the policy's parameters.

        The gradient that reaches an imagined state is cut to a norm for each rollout, so that one that tumbles does not
        drown the others.

        Args:
            policy: From observations to the mean of the actions.
            model: World model.
            moment: Real instants to start from.
            horizon: Steps.
            noise: Standard deviation of the noise on actions [action units].
            max_gradient: Largest norm of the gradient at a state, of the sum over steps of a rollout's cost.
        """
        refs, offset = self.references(moment, horizon), self.action_offset[moment.env_ids]
        state, last, limit = moment.state, moment.last_action, max_gradient / (len(moment.state) * horizon)
        states, means, earlier = [], [], []
        for step, ref in enumerate(refs):
            mean = policy(self.observations(moment, state, ref, last, noisy=True))
            earlier.append(means[-1] if means else last)
            means.append(mean)
            last = mean + noise * torch.randn_like(mean)
            center = self.centers(moment.clip_ids, moment.frames + step, ref)
            state = model(state, center + offset + self.action_scale.to(mean.dtype) * last)
            if state.requires_grad:
                state.register_hook(lambda gradient: _limited(gradient, limit))
            states.append(state)
        state, clips = torch.cat(states), self.library.last_frames[moment.clip_ids]
        cost = tracking_cost(self._bodies_of(refs), self.kinematics.bodies(state), self.weights)
        cost = cost + effort_cost(torch.cat(means), torch.cat(earlier), split(state).joint_pos, self.weights)
        counts = torch.stack([moment.frames + step <= clips for step in range(horizon)])
        return Rollouts(cost.view(horizon, -1), counts, states[-1], last, moment.frames + horizon <= clips)

    def cost(self, *args, **kwargs) -> Tensor:
        """Mean cost of the steps of :meth:`rollouts` that count, a scalar; arguments as there."""
        rollouts = self.rollouts(*args, **kwargs)
        return masked_mean(rollouts.costs, rollouts.counts)

    def clean_observations(self, moment: Moment, ahead: int, state: Tensor, last_action: Tensor) -> Tensor:
        """What the policy would see without noise some steps after ``moment``, shape [batch, width]."""
        ref = _as(self.library.state_at(moment.clip_ids, moment.frames + ahead), state.dtype)
        return self.observations(moment, state, ref, last_action, noisy=False)

    def _bodies_of(self, refs: list[MotionState]) -> BodyState:
        names = ("body_pos_w", "body_quat_w", "body_lin_vel_w", "body_ang_vel_w")
        return BodyState(*(torch.cat([getattr(ref, name) for ref in refs])[:, self.body_ids] for name in names))


def _limited(gradient: Tensor, limit: float) -> Tensor:
    """Rows of a gradient, cut to a norm; rows that are not finite become zero."""
    gradient = gradient.nan_to_num(0.0, 0.0, 0.0)
    norm = gradient.norm(dim=-1, keepdim=True)
    return gradient * (limit / norm.clamp(min=limit))


def _as(state: MotionState, dtype: torch.dtype) -> MotionState:
    return MotionState(**{name: value.to(dtype) for name, value in vars(state).items()})
