"""Commands of the modes task: which mode each env is in, and the velocity or the clip that it asks for.

An episode begins in a drawn mode. A mode without a clip lasts for a drawn time; one with a clip lasts until the clip
has ended and its last pose was held for a while. Then another one is drawn within the episode. A clip that begins
within an episode begins where the robot stands and heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from isaaclab.envs.mdp import UniformVelocityCommand
from torch import Tensor

from whole_body_tracking.locomotion.modes import NUM_HARMONICS, TURN, WALK, Mode, ModeEntry, clip_mode, parse_modes
from whole_body_tracking.motion.geometry.rotations import quat_conjugate, quat_mul, quat_rotate
from whole_body_tracking.tasks.tracking.mdp.reference.loop_placement import place
from whole_body_tracking.tracking.errors import projected_gravity_z, yaw_twist

from .guided_motion import GuidedMotionCommand

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from whole_body_tracking.motion import MotionLibrary, MotionState

    from .mode_commands_cfg import ModeMotionCommandCfg, ModeVelocityCommandCfg

FORGET_AFTER = 1000
"""Ended episodes over which the failure rate of a mode is averaged."""


class ModeMotionCommand(GuidedMotionCommand):
    """Mode of every env, and the reference of those that perform a clip."""

    cfg: ModeMotionCommandCfg
    is_observed = False
    """The policy sees the phase of a clip and not the clip: an exported file needs none."""

    def __init__(self, cfg: ModeMotionCommandCfg, env: ManagerBasedRLEnv):
        self.entries_of_modes = parse_modes(cfg.modes)
        """The modes, in the order of the one-hot observation."""
        self.mode = torch.zeros(env.num_envs, dtype=torch.long, device=env.device)
        """Mode of each env, shape [num_envs]."""
        self.switched = torch.zeros(env.num_envs, dtype=torch.bool, device=env.device)
        """Whether each env's mode began in this step, within its episode, shape [num_envs]."""
        self.fixed_modes: Tensor | None = None
        """Mode of every env to keep instead of drawing some, shape [num_envs]."""
        super().__init__(cfg, env)
        names = [entry.name for entry in self.entries_of_modes]
        clips = iter(range(len(names)))
        clip_of = [next(clips) if entry.file else -1 for entry in self.entries_of_modes]
        self._clip_of = torch.tensor(clip_of, device=self.device)
        self._every = torch.arange(self.num_envs, device=self.device)
        self._walks, self._moves = (
            torch.tensor([name in kinds for name in names], device=self.device) for kinds in ((WALK,), (WALK, TURN))
        )
        self._unturned = torch.tensor([0.0, 0.0, 0.0, 1.0], device=self.device)
        self._horizontal = torch.tensor([1.0, 1.0, 0.0], device=self.device)
        self._place_quat = self._unturned.repeat(self.num_envs, 1)
        self._place_shift = torch.zeros(self.num_envs, 3, device=self.device)
        self._mode_time = torch.zeros(self.num_envs, device=self.device)
        self._ended = torch.zeros(2, len(names), device=self.device)

    # -- what the terms read -----------------------------------------------------------------------------------------

    @property
    def one_hot(self) -> Tensor:
        """Mode of each env, shape [num_envs, num_modes]."""
        return torch.nn.functional.one_hot(self.mode, len(self.entries_of_modes)).float()

    @property
    def walks(self) -> Tensor:
        """Whether each env is told a velocity, shape [num_envs]."""
        return self._walks.index_select(0, self.mode)

    @property
    def moves(self) -> Tensor:
        """Whether each env is told a velocity or a heading, shape [num_envs]."""
        return self._moves.index_select(0, self.mode)

    @property
    def phase_features(self) -> Tensor:
        """Phase of the clip of each env as :func:`~whole_body_tracking.locomotion.modes.phase_features`, [num_envs, 8].

        Zeros for an env without a clip.
        """
        harmonics = torch.arange(1, NUM_HARMONICS + 1, device=self.device) * torch.pi
        angles = (self.frames / self.clock.last)[:, None] * harmonics
        return torch.cat((angles.sin(), angles.cos()), dim=-1) * self.guided[:, None]

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Facts of the modes for an exported policy."""
        return tuple(
            Mode(entry.name) if clip < 0 else mode_of_clip(entry, self.library, clip, self.root_idx)
            for entry, clip in zip(self.entries_of_modes, self._clip_of.tolist(), strict=True)
        )

    # -- the manager's calls -----------------------------------------------------------------------------------------

    def reset(self, env_ids: Sequence[int] | slice | None = None) -> dict[str, Tensor]:
        """Count the failures of the modes in which episodes end, and start new ones."""
        rows = self._as_index(env_ids)
        ended = self.one_hot[rows] * (self._env.episode_length_buf[rows] > 0)[:, None]
        failed = ended * self._env.termination_manager.terminated[rows, None]
        self._ended *= torch.where(self._ended[0] > FORGET_AFTER, 0.5, 1.0)
        self._ended += torch.stack((ended.sum(0), failed.sum(0)))
        rates = self._ended[1] / self._ended[0].clamp(min=1.0)
        names = (entry.name for entry in self.entries_of_modes)
        return super().reset(env_ids) | {f"failure_{name}": rate for name, rate in zip(names, rates, strict=True)}

    def compute(self, dt: float) -> None:
        """Advance the references, and let the next mode begin where one is over."""
        super().compute(dt)
        self._mode_time -= dt * (self._env.episode_length_buf > 0)
        self.switched.copy_(self._mode_time <= 0.0)
        mode = torch.where(self.switched, self._draw(self._every), self.mode)
        self.mode.copy_(mode)
        self.guided.copy_(self._clip_of[mode] >= 0)
        begins = self.switched & self.guided
        clock = self.clock
        clock.clip_ids.copy_(torch.where(begins, self._clip_of[mode], clock.clip_ids))
        clock.frames.copy_(torch.where(begins, 1, clock.frames))
        clock.is_held &= ~begins
        quat, shift = self._where_robots_are(self._every)
        self._place_quat.copy_(torch.where(begins[:, None], quat, self._place_quat))
        self._place_shift.copy_(torch.where(begins[:, None], shift, self._place_shift))
        self._mode_time.copy_(torch.where(self.switched, self._duration(self._every), self._mode_time))
        self.cache.invalidate()

    # -- internals ---------------------------------------------------------------------------------------------------

    def _update_metrics(self) -> None:
        """Errors of envs that perform a clip; the others get their mean, so that it is what is logged."""
        super()._update_metrics()
        values = torch.stack(list(self.metrics.values()))
        counted = values.isfinite() & self.guided
        means = torch.where(counted, values, 0.0).sum(-1, keepdim=True) / counted.sum(-1, keepdim=True).clamp(min=1)
        kept = torch.where(self.guided, values, means)
        self.metrics.update(zip(self.metrics, kept.unbind(0), strict=True))

    def _resample_command(self, env_ids: Tensor) -> None:
        """Start episodes in a drawn mode; those of a clip by chance in one of its frames."""
        mode = self._draw(env_ids)
        clip_ids = self._clip_of[mode]
        has_clip, draws = clip_ids >= 0, torch.rand(2, len(env_ids), device=self.device)
        in_frame = has_clip & (draws[0] >= self.cfg.standing_starts)
        clip_ids = clip_ids.clamp(min=0)
        frames = (draws[1] * self.last_frames[clip_ids]).long() * in_frame
        self.mode[env_ids], self.guided[env_ids], self.stands[env_ids] = mode, has_clip, ~in_frame
        self.switched[env_ids] = False
        self.set_start(env_ids, clip_ids, frames)
        quat, shift = self._where_robots_are(env_ids)
        self._place_quat[env_ids] = torch.where(in_frame[:, None], self._unturned, quat)
        self._place_shift[env_ids] = torch.where(in_frame[:, None], 0.0, shift)
        self._mode_time[env_ids] = self._duration(env_ids)
        self.cache.invalidate()

    def _draw(self, env_ids: Tensor) -> Tensor:
        """Modes for envs, each alike."""
        if self.fixed_modes is not None:
            return self.fixed_modes[env_ids]
        return torch.randint(len(self.entries_of_modes), (len(env_ids),), device=self.device)

    def _duration(self, env_ids: Tensor) -> Tensor:
        """How long envs that begin a mode are in it [s], shape of ``env_ids``."""
        if self.fixed_modes is not None:
            return torch.full((len(env_ids),), torch.inf, device=self.device)
        draws = torch.rand(len(env_ids), device=self.device)
        low, high = self.cfg.mode_time
        without_clip = low + (high - low) * draws
        low, high = self.cfg.clip_pause
        clip = (self.clock.last - self.frames)[env_ids] * self._env.step_dt + low + (high - low) * draws
        return torch.where(self.guided[env_ids], clip, without_clip)

    def _where_robots_are(self, env_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Turn about the vertical and horizontal shift that take the first frame of envs' clips to their robots."""
        first = self.library.state_at(self.clip_ids[env_ids], torch.zeros_like(env_ids))
        pose = self.robot.data.root_link_pose_w.torch[env_ids]
        quat = yaw_twist(quat_mul(pose[:, 3:], quat_conjugate(first.body_quat_w[:, self.root_idx])))
        pos = pose[:, :3] - self._env.scene.env_origins[env_ids]
        shift = pos - quat_rotate(quat, first.body_pos_w[:, self.root_idx])
        return quat, shift * self._horizontal

    def _reference(self) -> MotionState:
        return place(super()._reference(), self._place_quat, self._place_shift)


class ModeVelocityCommand(UniformVelocityCommand):
    """Velocity and heading as the mode says: both to walk, a heading alone to turn, zeros otherwise."""

    cfg: ModeVelocityCommandCfg

    def compute(self, dt: float) -> None:
        """Draw a new command where a mode began."""
        self.time_left.masked_fill_(self._motion.switched, 0.0)
        super().compute(dt)

    @property
    def _motion(self) -> ModeMotionCommand:
        return self._env.command_manager.get_term(self.cfg.motion_name)

    def _resample_command(self, env_ids: Sequence[int]) -> None:
        super()._resample_command(env_ids)
        self.vel_command_b[env_ids, :2] *= self._motion.walks[env_ids, None]
        self.is_standing_env[env_ids] = ~self._motion.moves[env_ids]


def mode_of_clip(entry: ModeEntry, library: MotionLibrary, clip: int, root_idx: int) -> Mode:
    """Facts of a mode with a clip.

    Args:
        entry: The mode.
        library: Clips of all modes.
        clip: Index of its clip.
        root_idx: Index of the root among the library's bodies.
    """
    num_frames = int(library.num_frames[clip])
    frames = torch.arange(num_frames, device=library.num_frames.device)
    state = library.state_at(torch.full_like(frames, clip), frames)
    root_quat = state.body_quat_w[:, root_idx]
    tilt = torch.acos((-projected_gravity_z(root_quat)).clamp(-1.0, 1.0)).max()
    return clip_mode(entry.name, num_frames, float(state.body_pos_w[:, root_idx, 2].min()), float(tilt))
