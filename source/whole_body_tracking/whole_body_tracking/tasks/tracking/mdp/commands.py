"""The motion command: reference states, where episodes start, and the errors that every other term reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import torch
from isaaclab.managers import CommandTerm
from isaaclab.utils.math import quat_from_euler_xyz, quat_mul, sample_uniform, sample_uniform_from_ranges
from torch import Tensor

from whole_body_tracking.motion import MotionState
from whole_body_tracking.refine.channels import JOINT_TARGET
from whole_body_tracking.tracking.errors import BodyState, TrackingErrors, has_diverged, tracking_errors

from .actions_cfg import action_center
from .reference.beyondmimic_names import BeyondMimicNames
from .reference.clip_clock import ClipClock
from .reference.diagnostics import DivergenceLog, dump_non_finite_state
from .reference.holding import at_rest
from .reference.loop_placement import LoopPlacement, place, turn
from .reference.motion_loading import NamedMotions, load_motions, make_library, require_preview_fits
from .reference.step_cache import StepCache
from .reference.terrain import SMOOTHING, ground_heights, reference_lift
from .reference.visualization import TrackingMarkers
from .start_sampling.factory import make_sampler

if TYPE_CHECKING:
    from isaaclab.assets import Articulation
    from isaaclab.envs import ManagerBasedRLEnv

    from whole_body_tracking.motion import MotionLibrary
    from whole_body_tracking.motion.sources.motion_entries import MotionEntry

    from .commands_cfg import MotionCommandCfg

T = TypeVar("T")

POSE_AXES = ("x", "y", "z", "roll", "pitch", "yaw")
"""Axes of the start noise, in the order in which it is drawn."""


class MotionCommand(BeyondMimicNames, CommandTerm):
    """Tracks clips frame by frame, one clip and frame per env.

    The clock: a step is physics, terminations, rewards, reset, command update, observations. :attr:`frames` is the
    frame that the *next* physics step should reach, so an episode that starts in the state of frame f first observes
    and is first scored against frame f + 1. Errors compare robot and reference at the same instant.

    The reference, the robot's tracked bodies and the errors are gathered once per instant and shared by all terms.
    Flat names such as ``robot_anchor_pos_w`` are BeyondMimic's: see :class:`BeyondMimicNames`.
    """

    cfg: MotionCommandCfg

    def __init__(self, cfg: MotionCommandCfg, env: ManagerBasedRLEnv):
        super().__init__(cfg, env)
        self.robot: Articulation = env.scene[cfg.asset_name]
        self.body_names = list(cfg.body_names)
        self._tracked: dict[tuple[str, ...], Tensor] = {}
        self.anchor_idx = self.tracked_body_idx([cfg.anchor_body_name])[0]
        root_name = self.robot.body_names[0]
        stored_bodies = self.body_names + [root_name] * (root_name not in self.body_names)
        self._root_idx = stored_bodies.index(root_name)
        names = (cfg.motion_files, 1.0 / env.step_dt, cfg.motion_split)
        self._about_targets = action_center(env.cfg) == JOINT_TARGET
        motions = load_motions(*names, cfg.speeds, env.cfg.robot_name, self._about_targets)
        self.entries = motions.entries
        self.library = self._make_library(motions, self.robot.joint_names, stored_bodies)
        robot_body_idx = self.robot.find_bodies(self.body_names, preserve_order=True)[0]
        self._robot_body_idx = torch.tensor(robot_body_idx, device=self.device)
        require_preview_fits(cfg.preview_steps, self.library)
        self._preview_steps = torch.tensor(cfg.preview_steps, dtype=torch.long, device=self.device)
        ground = ground_heights(env.scene)
        self._ground = None if ground is None else ground.smoothed(SMOOTHING)
        self.clock = ClipClock(self.library.num_frames, self.num_envs, cfg.clip_end)
        """Clip and frame of every env."""
        self._placement = LoopPlacement(self.library, self._root_idx, self.num_envs) if cfg.clip_end == "loop" else None
        self.sampler = make_sampler(cfg, self.library, self.entries, env.step_dt, env.cfg.robot_name)
        """Where episodes start."""
        self.fixed_start: tuple[Tensor, Tensor] | None = None
        """Clip and start frame of every env to use instead of the sampler's, shape [num_envs] each."""
        self._bins = torch.full_like(self.frames, -1)
        self._divergence_log = DivergenceLog(self.library.names)
        self.cache = StepCache(self, lambda: env.common_step_counter)
        """What the terms share; invalidate it after writing a state to the simulator from outside."""

    # -- what the terms read -----------------------------------------------------------------------------------------

    @cached_property
    def nominal_library(self) -> MotionLibrary:
        """The clips as they are, for the exported policy: without the copies at other speeds."""
        if self.cfg.speeds == [1.0]:
            return self.library
        source = (self.cfg.motion_files, 1.0 / self._env.step_dt, self.cfg.motion_split)
        motions = load_motions(*source, [1.0], self._env.cfg.robot_name, self._about_targets)
        return self._make_library(motions, self.library.joint_names, self.library.body_names)

    @property
    def nominal_entries(self) -> list[MotionEntry]:
        """Where the clips of :attr:`nominal_library` come from, as it was when the environment was made."""
        return self.entries[:: len(self.cfg.speeds)]

    @property
    def clip_ids(self) -> Tensor:
        """Clip that each env tracks, shape [num_envs]."""
        return self.clock.clip_ids

    @property
    def frames(self) -> Tensor:
        """Frame that each env's next physics step should reach, shape [num_envs]."""
        return self.clock.frames

    @property
    def last_frames(self) -> Tensor:
        """Index of the last frame of each clip, shape [num_clips]."""
        return self.clock.last_frames

    @property
    def command(self) -> Tensor:
        """Reference joint positions and velocities [rad, rad/s], shape [num_envs, 2 * num_joints]."""
        return torch.cat((self.reference.joint_pos, self.reference.joint_vel), dim=-1)

    @property
    def reference(self) -> MotionState:
        """Reference state at :attr:`frames`, body positions relative to the env's origin."""
        return self.cache.until_invalidated(MotionCommand._reference)

    @property
    def preview(self) -> MotionState:
        """Reference states at ``cfg.preview_steps``, one row per env and step, relative to the env's origin.

        Past a clip's end its last pose is held, at rest, unless the clip loops.
        """
        return self.cache.until_invalidated(MotionCommand._preview)

    def channel(self, name: str) -> Tensor:
        """Values of a channel of the clips at :attr:`frames`, shape [num_envs, ...]; vectors turn with the reference.

        Raises:
            ValueError: If ``cfg.channels`` lacks the name, or a clip does not carry it.
        """
        values = self.library.channel_at(name, self.clip_ids, self.frames)
        is_vector = self._placement is not None and self.library.channels[name].declaration.world_vector
        return turn(values, self._placement.quat) if is_vector else values

    @property
    def reference_bodies(self) -> BodyState:
        """Reference of the tracked bodies in the world frame."""
        return self.cache.until_invalidated(MotionCommand._reference_bodies)

    @property
    def robot_bodies(self) -> BodyState:
        """Tracked bodies of the robot in the world frame, in the order of :attr:`body_names`."""
        return self.cache.this_step(MotionCommand._robot_bodies)

    @property
    def errors(self) -> TrackingErrors:
        """Squared errors at this instant; those of an env whose state is not finite are infinite."""
        return self.cache.this_step(MotionCommand._errors)

    def cached_this_step(self, compute: Callable[[MotionCommand], T]) -> T:
        """Return ``compute(self)``, computed once per instant and shared by all terms that pass the same function."""
        return self.cache.this_step(compute)

    @property
    def clip_ended(self) -> Tensor:
        """Whether the frame just reached is the clip's last one, shape [num_envs]."""
        return self.frames >= self.clock.last

    def tracked_body_idx(self, names: Sequence[str]) -> list[int]:
        """Positions of bodies among the tracked ones.

        Raises:
            ValueError: If a name is not tracked; the message lists those that are.
        """
        missing = [name for name in names if name not in self.body_names]
        if missing:
            raise ValueError(f"Bodies {missing} are not tracked by the motion command. Tracked: {self.body_names}.")
        return [self.body_names.index(name) for name in names]

    def tracked_bodies(self, names: Sequence[str]) -> Tensor:
        """Positions of bodies among the tracked ones, on the device; copied there once.

        Raises:
            ValueError: As :meth:`tracked_body_idx`.
        """
        key = tuple(names)
        if key not in self._tracked:
            self._tracked[key] = torch.tensor(self.tracked_body_idx(names), device=self.device)
        return self._tracked[key]

    # -- the manager's calls -----------------------------------------------------------------------------------------

    def reset(self, env_ids: Sequence[int] | slice | None = None) -> dict[str, Tensor]:
        """Log the errors of ended episodes, count their failures and start new ones."""
        env_ids = self._as_index(env_ids)
        self._update_metrics()
        self._report_non_finite(env_ids)
        bins = self._bins[env_ids]
        ended = (bins >= 0) & (self._env.episode_length_buf[env_ids] > 0)
        failed = ended & self._env.termination_manager.terminated[env_ids]
        self.sampler.record_failures(bins.clamp(min=0), failed)
        self.sampler.clips.record(self.clip_ids[env_ids], self._env.episode_length_buf[env_ids], ended, failed)
        return super().reset(env_ids) | self.sampler.metrics()

    def compute(self, dt: float) -> None:
        """Advance the reference by one frame, except in envs that were reset in this very step."""
        passed = self.clock.advance(self._env.episode_length_buf > 0)
        if self.cfg.clip_end == "resample":
            self._resample(passed.nonzero().flatten())
        elif self._placement is not None:
            self._placement.advance(self.clip_ids, passed)
        bins = self.sampler.bin_of(self.clip_ids, self.frames)
        self.sampler.record_visits(bins, bins != self._bins)
        self._bins.copy_(bins)  # in place: a tensor made in inference mode could not be written to later
        self.sampler.update()
        self.cache.invalidate()

    def _update_command(self) -> None:
        """Nothing to do: :meth:`compute` advances the reference."""

    def _resample_command(self, env_ids: Tensor) -> None:
        if self.fixed_start is None:
            clip_ids, frames = self.sampler.sample(len(env_ids))
        else:
            clip_ids, frames = (value[env_ids] for value in self.fixed_start)
        self.set_start(env_ids, clip_ids, frames)

    def set_start(
        self, env_ids: Tensor, clip_ids: Tensor, frames: Tensor, noise: tuple[Tensor, Tensor, Tensor] | None = None
    ) -> None:
        """Put envs into the state of a frame, with the configured noise, and aim at the frame after it.

        Args:
            env_ids: Envs, shape [num_starts].
            clip_ids: Clip of each, shape [num_starts].
            frames: Start frame of each, at most the clip's last but one, shape [num_starts].
            noise: What :meth:`draw_start_noise` returns for these starts; None draws it.
        """
        noise = self.draw_start_noise(len(env_ids)) if noise is None else noise
        self.clock.start(env_ids, clip_ids, frames)
        if self._placement is not None:
            self._placement.reset(env_ids)
        self._bins[env_ids] = -1
        state = self.library.state_at(clip_ids, frames)
        self._write_state(env_ids, self._on_ground(state, self._env.scene.env_origins[env_ids]), noise)
        self.cache.invalidate()

    def draw_start_noise(self, num_starts: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw the noise on start states within the configured ranges.

        Returns:
            Root pose as x, y, z, roll, pitch, yaw [m, rad], shape [num_starts, 6]; root velocity [m/s, rad/s], same
            shape; joint positions [rad], shape [num_starts, num_joints].
        """
        pose = sample_uniform_from_ranges(self.cfg.pose_range, POSE_AXES, num_starts, device=self.device)
        twist = sample_uniform_from_ranges(self.cfg.velocity_range, POSE_AXES, num_starts, device=self.device)
        size = (num_starts, self.robot.num_joints)
        return pose, twist, sample_uniform(*self.cfg.joint_position_range, size=size, device=self.device)

    # -- internals ---------------------------------------------------------------------------------------------------

    def _as_index(self, env_ids: Sequence[int] | slice | Tensor | None) -> Tensor:
        if env_ids is None or isinstance(env_ids, slice):
            return torch.arange(self.num_envs, device=self.device)[env_ids or slice(None)]
        return torch.as_tensor(env_ids, device=self.device).long()

    def _make_library(self, motions: NamedMotions, joint_names: Sequence[str], body_names: Sequence[str]):
        names, channels = (joint_names, body_names), [*self.cfg.channels]
        channels += [JOINT_TARGET] * (self._about_targets and JOINT_TARGET not in channels)
        return make_library(motions, self.cfg.motion_storage, *names, self.device, channels)

    def _reference(self) -> MotionState:
        state = self.library.state_at(self.clip_ids, self.frames)
        placement = self._placement
        state = state if placement is None else place(state, placement.quat, placement.shift)
        state = at_rest(state, self.clock.is_held) if self.cfg.clip_end == "hold" else state
        return self._on_ground(state, self._env.scene.env_origins)

    def _preview(self) -> MotionState:
        frames, passed = self.clock.ahead(self._preview_steps)
        num_steps = len(self._preview_steps)
        state = self.library.state_at(self.clip_ids.repeat_interleave(num_steps), frames.flatten())
        if self._placement is not None:
            quat, shift = self._placement.next_round(self.clip_ids, passed)
            state = place(state, quat.flatten(0, 1), shift.flatten(0, 1))
        else:
            state = at_rest(state, passed.flatten())
        return self._on_ground(state, self._env.scene.env_origins.repeat_interleave(num_steps, dim=0))

    def _reference_bodies(self) -> BodyState:
        ref, num = self.reference, len(self.body_names)
        return BodyState(
            ref.body_pos_w[:, :num] + self._env.scene.env_origins[:, None],
            ref.body_quat_w[:, :num],
            ref.body_lin_vel_w[:, :num],
            ref.body_ang_vel_w[:, :num],
        )

    def _robot_bodies(self) -> BodyState:
        pose = self.robot.data.body_link_pose_w.torch.index_select(1, self._robot_body_idx)
        velocity = self.robot.data.body_link_vel_w.torch.index_select(1, self._robot_body_idx)
        return BodyState(pose[..., :3], pose[..., 3:], velocity[..., :3], velocity[..., 3:])

    def _errors(self) -> TrackingErrors:
        errors = tracking_errors(self.reference_bodies, self.robot_bodies, self.anchor_idx)
        for value in vars(errors).values():
            value.nan_to_num_(nan=torch.inf, posinf=torch.inf)
        return errors

    def _on_ground(self, state: MotionState, origins: Tensor) -> MotionState:
        """Lift states, given relative to their envs' origins, to the ground below their anchors."""
        if self._ground is None:
            return state
        anchor_xy_w = state.body_pos_w[:, self.anchor_idx, :2] + origins[:, :2]
        body_pos_w = state.body_pos_w.clone()
        body_pos_w[..., 2] += reference_lift(self._ground, anchor_xy_w, origins)[:, None]
        return replace(state, body_pos_w=body_pos_w)

    def _write_state(self, env_ids: Tensor, state: MotionState, noise: tuple[Tensor, Tensor, Tensor]) -> None:
        pose, twist, joints = noise
        pos_w = state.body_pos_w[:, self._root_idx] + self._env.scene.env_origins[env_ids] + pose[:, :3]
        quat_w = quat_mul(quat_from_euler_xyz(*pose[:, 3:].unbind(-1)), state.body_quat_w[:, self._root_idx])
        velocity = torch.cat((state.body_lin_vel_w[:, self._root_idx], state.body_ang_vel_w[:, self._root_idx]), -1)
        limits = self.robot.data.soft_joint_pos_limits.torch[env_ids]
        joint_pos = (state.joint_pos + joints).clamp(limits[..., 0], limits[..., 1])
        ids = env_ids.int()
        self.robot.write_root_link_pose_to_sim_index(root_pose=torch.cat((pos_w, quat_w), -1), env_ids=ids)
        self.robot.write_root_link_velocity_to_sim_index(root_velocity=velocity + twist, env_ids=ids)
        self.robot.write_joint_state_to_sim_index(
            position=joint_pos.contiguous(), velocity=state.joint_vel.contiguous(), env_ids=ids
        )

    def _update_metrics(self) -> None:
        errors, ref = self.errors, self.reference
        self.metrics["error_anchor_pos"] = errors.anchor_pos.sqrt()
        self.metrics["error_anchor_rot"] = errors.anchor_ori.sqrt()
        self.metrics["error_body_pos"] = errors.body_pos.sqrt().mean(-1)
        self.metrics["error_body_rot"] = errors.body_ori.sqrt().mean(-1)
        self.metrics["error_body_lin_vel"] = errors.body_lin_vel.sqrt().mean(-1)
        self.metrics["error_body_ang_vel"] = errors.body_ang_vel.sqrt().mean(-1)
        self.metrics["error_joint_pos"] = (ref.joint_pos - self.robot.data.joint_pos.torch).norm(dim=-1)
        self.metrics["error_joint_vel"] = (ref.joint_vel - self.robot.data.joint_vel.torch).norm(dim=-1)

    def _report_non_finite(self, env_ids: Tensor) -> None:
        diverged = has_diverged(self.errors)[env_ids]
        if not diverged.any():  # the one question that a reset asks the device
            return
        diverged_ids, others = env_ids[diverged], env_ids[~diverged]
        for values in self.metrics.values():  # one infinite error would make every mean of the log infinite
            values[diverged_ids] = values[others].mean() if len(others) else 0.0
        dump = dump_non_finite_state(self._env.cfg.log_dir, self.robot, diverged_ids, self.clip_ids, self.frames)
        self._divergence_log.write(diverged_ids, self.clip_ids, self.frames, dump)

    def _set_debug_vis_impl(self, debug_vis: bool) -> None:
        if debug_vis and not hasattr(self, "_markers"):
            self._markers = TrackingMarkers()
        if hasattr(self, "_markers"):
            self._markers.set_visible(debug_vis)

    def _debug_vis_callback(self, event) -> None:
        if self.robot.is_initialized:
            self._markers.draw(self.reference_bodies.pos_w, self.robot_bodies.pos_w)
