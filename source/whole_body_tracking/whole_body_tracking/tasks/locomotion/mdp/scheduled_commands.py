"""Commands of the schedule task: a reference that fades out, and a velocity that agrees with it.

Each episode is *guided* or *free*. The chance of a guided one is the weight of the reference in the phase. A guided
episode shows the reference, tells the policy the reference's own velocity, rewards tracking by the phase's weight, and
ends where tracking fails. A free one shows zeros in place of the reference, has a command drawn as in the velocity
task, and ends with a fall.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import torch
from isaaclab.envs.mdp import UniformVelocityCommand
from isaaclab.utils.math import wrap_to_pi
from torch import Tensor

from whole_body_tracking.locomotion.metrics import heading, in_heading_frame
from whole_body_tracking.locomotion.schedule import PhaseRules, PhaseSchedule

from .guided_motion import GuidedMotionCommand

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from whole_body_tracking.motion import MotionLibrary

    from .scheduled_commands_cfg import GuidedVelocityCommandCfg, ScheduledMotionCommandCfg


def phase_rules(cfg: ScheduledMotionCommandCfg) -> PhaseRules:
    """Rules of a config.

    Raises:
        ValueError: If a number is wrong, or several processes go by success.
    """
    steps = None if cfg.phase_steps is None else tuple(cfg.phase_steps)
    if steps is None and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ValueError(
            "Phases by success count the episodes of one process. Training in several, say when phases begin:"
            " env.commands.motion.phase_steps=[240000,480000,720000]."
        )
    numbers = (cfg.phase_success, cfg.phase_min_episodes, cfg.phase_settle_steps, cfg.phase_check_every)
    return PhaseRules(tuple(cfg.phase_weights), *numbers, steps)


class ScheduledMotionCommand(GuidedMotionCommand):
    """Reference of guided episodes."""

    cfg: ScheduledMotionCommandCfg

    def __init__(self, cfg: ScheduledMotionCommandCfg, env: ManagerBasedRLEnv):
        self.schedule = PhaseSchedule(phase_rules(cfg), env.device)
        """Phase of the training."""
        self.schedule.phase = cfg.first_phase % len(cfg.phase_weights)
        super().__init__(cfg, env)
        self.guided[:] = not self.schedule.is_last

    @property
    def guidance(self) -> Tensor:
        """Weight of the reference in each env: the phase's, or 0 without one, shape [num_envs]."""
        return self.guided * self.schedule.weight

    @property
    def hidden_terms(self) -> tuple[str, ...]:
        """Observations that the policy does without: those of the reference in the last phase."""
        return tuple(self.cfg.hidden_terms) if self.schedule.is_last else ()

    def enter_phase(self) -> None:
        """Let a new phase begin: the last one takes the reference from episodes in progress, too."""
        if self.schedule.is_last:
            self.guided[:] = False

    def _resample_command(self, env_ids: Tensor) -> None:
        """Start episodes, guided ones by chance, and free ones by chance standing."""
        draws = torch.rand(2, len(env_ids), device=self.device)
        self.guided[env_ids] = draws[0] < self.schedule.weight
        self.stands[env_ids] = ~self.guided[env_ids] & (draws[1] < self.cfg.standing_starts)
        super()._resample_command(env_ids)


class GuidedVelocityCommand(UniformVelocityCommand):
    """Velocity and heading of the reference in guided episodes; drawn, as Isaac Lab does, in free ones."""

    cfg: GuidedVelocityCommandCfg

    def __init__(self, cfg: GuidedVelocityCommandCfg, env: ManagerBasedRLEnv):
        super().__init__(cfg, env)
        self._table: tuple[Tensor, Tensor] | None = None

    def _update_command(self) -> None:
        super()._update_command()
        motion: ScheduledMotionCommand = self._env.command_manager.get_term(self.cfg.motion_name)
        if self._table is None:  # the commands are made one after the other
            self._table = reference_velocities(motion.library, motion.root_idx, self.cfg.window)
        velocities, starts = self._table
        reference = velocities.index_select(0, starts.index_select(0, motion.clip_ids) + motion.frames)
        target = heading(motion.reference.body_quat_w[:, motion.root_idx])
        error = wrap_to_pi(target - self.robot.data.heading_w.torch)
        rate = (reference[:, 2] + self.cfg.heading_control_stiffness * error).clamp(*self.cfg.ranges.ang_vel_z)
        told = torch.cat((reference[:, :2], rate[:, None]), dim=-1)
        self.vel_command_b[:] = torch.where(motion.guided[:, None], told, self.vel_command_b)
        self.heading_target[:] = torch.where(motion.guided, target, self.heading_target)
        self.is_heading_env |= motion.guided
        self.is_standing_env &= ~motion.guided


def reference_velocities(library: MotionLibrary, root_idx: int, window: float) -> tuple[Tensor, Tensor]:
    """Velocity of the reference's root at every frame, averaged over a window about it.

    Args:
        library: The clips.
        root_idx: Index of the root among the library's bodies.
        window: [s]; shorter at a clip's ends.

    Returns:
        Forward and lateral velocity in the heading frame [m/s] and turning rate [rad/s], shape [num_frames, 3]; and
        where each clip begins in it, shape [num_clips].
    """
    half, counts = max(1, round(0.5 * window * library.fps)), library.num_frames.tolist()
    rows = []
    for clip, count in enumerate(counts):
        frames = torch.arange(count, device=library.num_frames.device)
        state = library.state_at(torch.full_like(frames, clip), frames)
        pos, yaw = state.body_pos_w[:, root_idx], heading(state.body_quat_w[:, root_idx])
        first, last = (frames - half).clamp(min=0), (frames + half).clamp(max=count - 1)
        time = (last - first) / library.fps
        velocity = in_heading_frame((pos[last] - pos[first]) / time[:, None], yaw)
        rows.append(torch.cat((velocity, (wrap_to_pi(yaw[last] - yaw[first]) / time)[:, None]), dim=-1))
    starts = torch.tensor([0, *counts[:-1]], device=library.num_frames.device).cumsum(0)
    return torch.cat(rows), starts
