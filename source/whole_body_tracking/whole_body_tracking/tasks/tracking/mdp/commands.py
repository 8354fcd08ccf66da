"""The motion command: reference states, where episodes start, and the errors that every other term reads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.motion import MotionState
from whole_body_tracking.refine.channels import JOINT_TARGET
from whole_body_tracking.tracking.errors import has_diverged

from .actions_cfg import action_center
from .reference.clip_clock import ClipClock
from .reference.diagnostics import DivergenceLog, dump_non_finite_state
from .reference.holding import at_rest
from .reference.loop_placement import LoopPlacement, place, turn
from .reference.motion_loading import NamedMotions, load_motions, make_library, require_preview_fits
from .reference.reference_command import ReferenceCommand
from .start_sampling.factory import make_sampler

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from whole_body_tracking.motion import MotionLibrary
    from whole_body_tracking.motion.sources.motion_entries import MotionEntry

    from .commands_cfg import MotionCommandCfg


class MotionCommand(ReferenceCommand):
    """Tracks clips frame by frame, one clip and frame per env.

    The clock: a step is physics, terminations, rewards, reset, command update, observations. :attr:`frames` is the
    frame that the *next* physics step should reach, so an episode that starts in the state of frame f first observes
    and is first scored against frame f + 1. Errors compare robot and reference at the same instant.
    """

    cfg: MotionCommandCfg

    def __init__(self, cfg: MotionCommandCfg, env: ManagerBasedRLEnv):
        super().__init__(cfg, env)
        self._about_targets = action_center(env.cfg) == JOINT_TARGET
        motions = self._load_motions(cfg.speeds)
        self.entries = motions.entries
        self.library = self._make_library(motions, self.robot.joint_names, self._stored_bodies)
        require_preview_fits(cfg.preview_steps, self.library)
        self._preview_steps = torch.tensor(cfg.preview_steps, dtype=torch.long, device=self.device)
        self.clock = ClipClock(self.library.num_frames, self.num_envs, cfg.clip_end)
        """Clip and frame of every env."""
        self._placement = LoopPlacement(self.library, self.root_idx, self.num_envs) if cfg.clip_end == "loop" else None
        self.sampler = make_sampler(cfg, self.library, self.entries, env.step_dt, env.cfg.robot_name)
        """Where episodes start."""
        self.fixed_start: tuple[Tensor, Tensor] | None = None
        """Clip and start frame of every env to use instead of the sampler's, shape [num_envs] each."""
        self._bins = torch.full_like(self.frames, -1)
        self._divergence_log = DivergenceLog(self.library.names)

    # -- what the terms read -----------------------------------------------------------------------------------------

    @cached_property
    def nominal_library(self) -> MotionLibrary:
        """The clips as they are, for the exported policy: without the copies at other speeds."""
        if self.cfg.speeds == [1.0]:
            return self.library
        return self._make_library(self._load_motions([1.0]), self.library.joint_names, self.library.body_names)

    @property
    def nominal_entries(self) -> list[MotionEntry]:
        """Entries of the clips of :attr:`nominal_library`, as they were when the environment was made."""
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
    def clip_ended(self) -> Tensor:
        """Whether the frame just reached is the clip's last one, shape [num_envs]."""
        return self.frames >= self.clock.last

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
        if self.sampler.earnings is not None:
            self._record_earnings(env_ids, ended, failed)
        return super().reset(env_ids) | self.sampler.metrics()

    def compute(self, dt: float) -> None:
        """Advance the reference by one frame, except in envs that were reset in this very step."""
        if self.sampler.earnings is not None:
            self._record_earnings(slice(None), (self._bins >= 0) & (self._env.episode_length_buf > 0))
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

    # -- internals ---------------------------------------------------------------------------------------------------

    def _record_earnings(self, envs: Tensor | slice, counts: Tensor, failed: Tensor | None = None) -> None:
        """Tell the sampler what envs earned in the step just made.

        The most that a step can earn is taken to be the sum of the positive weights, whose terms are at most 1.
        """
        rewards = getattr(self._env, "reward_buf", None)
        if rewards is None:  # nothing is earned before the first step
            return
        manager = self._env.reward_manager
        most = sum(max(0.0, manager.get_term_cfg(name).weight) for name in manager.active_terms) * self._env.step_dt
        clip_ids, frames = self.clip_ids[envs], self.frames[envs]
        lost = None if failed is None else failed * self.sampler.frames_left(clip_ids, frames)
        self.sampler.earnings.record(self._bins[envs], rewards[envs] / most, counts, lost)

    def _load_motions(self, speeds: Sequence[float]) -> NamedMotions:
        rate, robot_name = 1.0 / self._env.step_dt, self._env.cfg.robot_name
        return load_motions(
            self.cfg.motion_files, rate, self.cfg.motion_split, speeds, robot_name, self._about_targets
        )  # fmt: skip

    def _make_library(self, motions: NamedMotions, joint_names: Sequence[str], body_names: Sequence[str]):
        channels = [*self.cfg.channels]
        channels += [JOINT_TARGET] * (self._about_targets and JOINT_TARGET not in channels)
        return make_library(motions, self.cfg.motion_storage, joint_names, body_names, self.device, channels)

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

    def _report_non_finite(self, env_ids: Tensor) -> None:
        diverged = has_diverged(self.errors)[env_ids]
        if not diverged.any():  # the one question that a reset asks the device
            return
        diverged_ids, others = env_ids[diverged], env_ids[~diverged]
        for values in self.metrics.values():  # one infinite error would make every mean of the log infinite
            values[diverged_ids] = values[others].mean() if len(others) else 0.0
        dump = dump_non_finite_state(self._env.cfg.log_dir, self.robot, diverged_ids, self.clip_ids, self.frames)
        self._divergence_log.write(diverged_ids, self.clip_ids, self.frames, dump)
