"""``Tracking-MyoFullBody-v0``: track a human motion with muscle excitations, on threads of native MuJoCo."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass

import mujoco
import numpy as np
import torch
from mujoco.rollout import Rollout
from rsl_rl.env import VecEnv
from tensordict import TensorDict
from torch import Tensor

from whole_body_tracking.motion.geometry.rotations import quat_conjugate, quat_rotate
from whole_body_tracking.tracking.criteria import (
    HEIGHT_THRESHOLD,
    TILT_THRESHOLD,
    TrackingRewards,
    height_fails,
    not_finite,
    tilt_fails,
    tracking_terms,
)
from whole_body_tracking.tracking.errors import BodyState, in_frame, rotation_columns, tracking_errors

from ..model.body import HumanBody
from ..model.coordinates import NUM_ROOT
from .muscle_control import PostureReflex
from .reference import HumanReference, body_state, simulation_model

TASK = "Tracking-MyoFullBody-v0"
ACTIONS = (TORQUES, EXCITATIONS) = "torques", "excitations"
JOINT_SPEED_SCALE = 0.1
"""Of joint velocities in the observation."""


@dataclass(frozen=True)
class HumanEnvSettings:
    """Settings of the environment."""

    num_envs: int = 32
    physics_dt: float = 0.002
    """Physics step [s]; the model is made for 1 ms, and stands as long with 2 ms."""
    action: str = TORQUES
    """What actions are: joint ``torques``, which least squares turns into excitations, or ``excitations``."""
    action_scale: float = 0.1
    """What an action of 1 adds: torque as a share of the muscles' strength about the joint, or excitation."""
    effort_weight: float = 0.05
    """Of the mean squared excitation, subtracted from the reward."""
    random_starts: bool = True
    """Whether episodes start at a random frame; otherwise at the first."""
    first_share: float = 0.5
    """Share of random starts that are at the first frame all the same: few others get old enough to drift far."""
    push: float = 0.0
    """Largest speed that a start adds to the root, in a random horizontal direction [m/s]."""
    num_threads: int | None = None
    """None takes one for each available core."""
    seed: int = 0

    def __post_init__(self):
        if self.num_envs < 1:
            raise ValueError(f"--num_envs is {self.num_envs}, expected at least 1.")
        if self.action not in ACTIONS:
            raise ValueError(f"--action is {self.action!r}, expected one of {', '.join(ACTIONS)}.")


class HumanTrackingEnv(VecEnv):
    """Bodies that start on a motion and follow it; rsl_rl's interface.

    A step holds excitations for a frame of the motion. With actions of torque they are those by which the muscles give
    the reference's torque, that of the :class:`~.muscle_control.PostureReflex` and the policy's; with actions of
    excitation they are the reference's activations and the policy's. The order is that of the other tasks: physics,
    terminations, rewards, resets, observations; the reward compares with the frame that the step was to reach. Bodies
    are read by sensors at the start of the last physics step.

    Reward: the six tracking kernels of the G1's task, as a share of their maximum, minus ``effort_weight`` times the
    mean squared excitation. An episode fails when the anchor's height is off by 0.25 m or its projected gravity by 0.8,
    and is cut, with its value bootstrapped, at the motion's end.
    """

    def __init__(self, body: HumanBody, reference: HumanReference, settings: HumanEnvSettings | None = None):
        """Build the models and start the threads.

        Args:
            body: The body.
            reference: From :func:`.reference.make_reference`.
            settings: Number of bodies and weights.

        Raises:
            ValueError: If a frame does not last a whole number of physics steps.
        """
        self.cfg = settings or HumanEnvSettings()
        self.body, self.reference = body, reference
        self.model = simulation_model(body, self.cfg.physics_dt)
        self.substeps = require_substeps(reference.fps, self.cfg.physics_dt)
        self.num_envs, self.device = self.cfg.num_envs, "cpu"
        self.num_actions = len(body.moved_names) if self.cfg.action == TORQUES else self.model.nu
        self.max_episode_length = reference.num_frames - 1
        self.episode_length_buf = torch.zeros(self.num_envs, dtype=torch.long)
        self.step_dt = 1.0 / reference.fps
        self._generator = torch.Generator().manual_seed(self.cfg.seed)
        threads = len(os.sched_getaffinity(0)) if self.cfg.num_threads is None else self.cfg.num_threads
        self._data = [_quiet_data(self.model) for _ in range(threads)]
        self._pool = Rollout(nthread=threads if threads > 1 else 0)
        self._anchor = body.table.tracked.index(body.table.anchor)
        self._rewards = TrackingRewards()
        joints = self.model.dof_jntid[body.coordinates.dofs[NUM_ROOT:]]
        self._joint_columns = torch.from_numpy(1 + self.model.jnt_qposadr[joints].astype(np.int64))
        self._speed_columns = torch.from_numpy(1 + self.model.nq + body.coordinates.dofs[NUM_ROOT:].astype(np.int64))
        after = 1 + self.model.nq + self.model.nv
        self._activation_columns = slice(after, after + self.model.na)
        self._reference_states = torch.from_numpy(reference.states)
        self._posture = PostureReflex(body)
        self.frame = torch.zeros(self.num_envs, dtype=torch.long)
        """Frame that each body is to reach next, minus one: where it should be now."""
        self.reset_all()

    def reset_all(self) -> None:
        """Put every body on a start frame."""
        self.frame = self._start_frames()
        self._states = self._start_states()
        self._bodies = _rows(self.reference.bodies, self.frame)
        self.episode_length_buf = torch.zeros(self.num_envs, dtype=torch.long)

    def get_observations(self) -> TensorDict:
        """What policy and critic see; see :meth:`_observation`."""
        return TensorDict({"policy": self._observation()}, batch_size=[self.num_envs])

    def step(self, actions: Tensor) -> tuple[TensorDict, Tensor, Tensor, dict]:
        """Hold excitations for a frame.

        Args:
            actions: Torques or excitations to add, in units of ``action_scale``, shape [num_envs, num_actions].
        """
        excitation = self.excitation(actions)
        self._simulate(excitation)
        self.frame = self.frame + 1
        self.episode_length_buf = self.episode_length_buf + 1
        target = _rows(self.reference.bodies, self.frame)
        failed = self._fails(target)
        ended = self.frame >= self.reference.num_frames - 1
        errors = tracking_errors(target, self._bodies, self._anchor)
        terms = tracking_terms(errors, self._rewards)
        weights = {name: getattr(self._rewards, name).weight for name in terms}
        tracking = sum(weights[name] * term for name, term in terms.items()) / sum(weights.values())
        tracking = torch.where(failed, 0.0, tracking.nan_to_num(0.0))
        reward = tracking - self.cfg.effort_weight * excitation.square().mean(-1)
        done = failed | ended
        extras = {"time_outs": ended & ~failed, "log": {"/tracking": tracking.mean(), "/failed": failed.float().mean()}}
        self._restart(done)
        return self.get_observations(), reward, done, extras

    def excitation(self, actions: Tensor) -> Tensor:
        """Excitations in [0, 1] for the coming frame, shape [num_envs, num_muscles].

        Args:
            actions: The policy's, shape [num_envs, num_actions].
        """
        actions, frames = self.cfg.action_scale * actions.nan_to_num(0.0), self.frame + 1
        if self.cfg.action == EXCITATIONS:
            return (self.reference.activation[frames] + actions).clamp(0.0, 1.0)
        muscles, states = self.reference.muscles, self._states.nan_to_num(0.0)
        wanted = self._reference_states[frames]
        position = (wanted - states)[:, self._joint_columns].float()
        velocity = (wanted - states)[:, self._speed_columns].float()
        reflex = self._posture(position, velocity, self._bodies, _rows(self.reference.bodies, frames))
        torque = self.reference.torque[frames] + reflex + muscles.strength * actions
        activation = states[:, self._activation_columns].float()
        return muscles.excitations(frames, torque.nan_to_num(0.0), activation, self.step_dt)

    def close(self) -> None:
        """Stop the threads."""
        self._pool.close()

    def _simulate(self, excitation: Tensor) -> None:
        control = np.repeat(excitation.double().numpy()[:, None], self.substeps, axis=1)
        states, sensors = self._pool.rollout(self.model, self._data, self._states.numpy(), control)
        self._states = torch.from_numpy(np.ascontiguousarray(states[:, -1]))
        self._bodies = body_state(sensors[:, -1], len(self.body.table.tracked))

    def _fails(self, target: BodyState) -> Tensor:
        robot, anchor = self._bodies, self._anchor
        return (
            height_fails(target, robot, anchor, HEIGHT_THRESHOLD)
            | tilt_fails(target, robot, anchor, TILT_THRESHOLD)
            | not_finite(robot)
        )

    def _restart(self, done: Tensor) -> None:
        start = self._start_frames()
        self.frame = torch.where(done, start, self.frame)
        self.episode_length_buf = torch.where(done, 0, self.episode_length_buf)
        self._states = torch.where(done[:, None], self._start_states(), self._states)
        fresh = _rows(self.reference.bodies, self.frame)
        self._bodies = BodyState(
            *(
                torch.where(done[:, None, None], getattr(fresh, name), getattr(self._bodies, name))
                for name in ("pos_w", "quat_w", "lin_vel_w", "ang_vel_w")
            )
        )

    def _start_frames(self) -> Tensor:
        if not self.cfg.random_starts:
            return torch.zeros(self.num_envs, dtype=torch.long)
        frames = torch.randint(self.reference.num_frames - 1, (self.num_envs,), generator=self._generator)
        first = torch.rand(self.num_envs, generator=self._generator) < self.cfg.first_share
        return torch.where(first, 0, frames)

    def _start_states(self) -> Tensor:
        states = self._reference_states[self.frame].clone()
        if self.cfg.push > 0.0:
            size, angle = torch.rand(2, self.num_envs, generator=self._generator, dtype=states.dtype)
            way = 2.0 * torch.pi * angle
            column = 1 + self.model.nq
            states[:, column : column + 2] += self.cfg.push * size[:, None] * torch.stack((way.cos(), way.sin()), -1)
        return states

    def _observation(self) -> Tensor:
        """In the anchor's frame: its velocities, gravity, bodies and what they should be next; joints; phase."""
        robot, target = self._bodies, _rows(self.reference.bodies, self.frame + 1)
        pos, quat = robot.pos_w[:, self._anchor], robot.quat_w[:, self._anchor]
        inverse = quat_conjugate(quat)
        down = torch.tensor([0.0, 0.0, -1.0]).expand_as(pos)
        seen, _ = in_frame(robot.pos_w, robot.quat_w, pos[:, None], quat[:, None])
        wanted, turned = in_frame(target.pos_w, target.quat_w, pos[:, None], quat[:, None])
        states = self._states.float()
        parts = (
            pos[:, 2:],
            quat_rotate(inverse, down),
            quat_rotate(inverse, robot.lin_vel_w[:, self._anchor]),
            quat_rotate(inverse, robot.ang_vel_w[:, self._anchor]),
            seen.flatten(1),
            (wanted - seen).flatten(1),
            rotation_columns(turned[:, self._anchor]),
            states[:, self._joint_columns],
            JOINT_SPEED_SCALE * states[:, self._speed_columns],
            self.frame[:, None] / self.max_episode_length,
        )
        return torch.cat(parts, dim=-1).nan_to_num(0.0).clamp(-20.0, 20.0)

    @property
    def settings_json(self) -> dict:
        """Settings as JSON holds them."""
        return asdict(self.cfg)


def require_substeps(fps: float, physics_dt: float) -> int:
    """Physics steps of a frame.

    Raises:
        ValueError: If a frame does not last a whole number of them.
    """
    substeps = round(1.0 / (fps * physics_dt))
    if substeps < 1 or abs(substeps * physics_dt * fps - 1.0) > 1e-6:
        raise ValueError(
            f"A frame at {fps:g} fps lasts {1e3 / fps:.4g} ms, expected a whole number of physics steps of"
            f" {1e3 * physics_dt:g} ms. Take --fps 50 or 100."
        )
    return substeps


def _rows(bodies: BodyState, frames: Tensor) -> BodyState:
    return BodyState(bodies.pos_w[frames], bodies.quat_w[frames], bodies.lin_vel_w[frames], bodies.ang_vel_w[frames])


def _quiet_data(model: mujoco.MjModel) -> mujoco.MjData:
    """Data that report divergence through the state, not on stderr."""
    data = mujoco.MjData(model)
    for kind in ("mjWARN_BADQPOS", "mjWARN_BADQVEL", "mjWARN_BADQACC", "mjWARN_BADCTRL"):
        data.warning[int(getattr(mujoco.mjtWarning, kind))].number = 1
    return data
