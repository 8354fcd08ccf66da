"""The gait command: the reference is what a RefNN predicts, from parameters that change while the robot walks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.gait.network.known_parameters import examples_with
from whole_body_tracking.gait.network.reference import GaitReference
from whole_body_tracking.gait.network.refnn import load_refnn
from whole_body_tracking.motion import MotionState
from whole_body_tracking.robots import get_robot
from whole_body_tracking.tasks.tracking.mdp.reference.diagnostics import dump_non_finite_state
from whole_body_tracking.tasks.tracking.mdp.reference.reference_command import ReferenceCommand
from whole_body_tracking.tracking.errors import has_diverged

from .window_library import WindowLibrary

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from .commands_cfg import GaitCommandCfg

logger = logging.getLogger(__name__)


class GaitCommand(ReferenceCommand):
    """Tracks the walk of a RefNN, one phase and one set of parameters per env.

    Parameters are those of gaits of the RefNN's data set, which the planner found possible; those of ``fixed`` replace
    theirs. An episode draws one, and another every ``change_interval``; the reference goes over to it within about
    ``blend_time``. The clock is that of :class:`.MotionCommand`: an episode starts in a state of the walk, and aims at
    the state one step later.
    """

    cfg: GaitCommandCfg

    def __init__(self, cfg: GaitCommandCfg, env: ManagerBasedRLEnv):
        super().__init__(cfg, env)
        robot = get_robot(env.cfg.robot_name)
        model = load_refnn(Path(cfg.model_file), robot).requires_grad_(False)
        self.walk = GaitReference(model, robot, env.step_dt, cfg.blend_time).to(self.device)
        """The walk of every env, a step at a time."""
        self.state = torch.zeros(self.num_envs, self.walk.state_size, device=self.device)
        """Parameters, heading and window of frames, shape [num_envs, state_size]; see :class:`.GaitReference`."""
        self.wanted = torch.zeros(self.num_envs, self.walk.num_params, device=self.device)
        """Parameters that the walk goes over to, shape [num_envs, num_params]."""
        self._time_to_change = torch.full((self.num_envs,), torch.inf, device=self.device)
        self.fixed_start: Tensor | None = None
        """Parameters of every env to start and stay with, shape [num_envs, num_params]; None draws them."""
        self._examples = examples_with(model, cfg.fixed).to(self.device)
        self._window = WindowLibrary(robot, self.num_envs, env.step_dt, self.robot.joint_names, self._stored_bodies,
                                     self.device)  # fmt: skip

    def reset(self, env_ids: Sequence[int] | slice | None = None) -> dict[str, Tensor]:
        """Log the errors of ended episodes and start new ones."""
        env_ids = self._as_index(env_ids)
        self._update_metrics()
        self._report_non_finite(env_ids)
        return super().reset(env_ids)

    def compute(self, dt: float) -> None:
        """Advance the walk by one step, except in envs that were reset in this very step."""
        moving = self._env.episode_length_buf > 0
        self._time_to_change -= dt * moving
        if self.fixed_start is None:
            changes = self._time_to_change <= 0.0
            self.wanted.copy_(torch.where(changes[:, None], self._draw(self.num_envs), self.wanted))
            self._time_to_change.copy_(torch.where(changes, self._draw_times(self.num_envs), self._time_to_change))
        self.state.copy_(torch.where(moving[:, None], self.walk.advance(self.state, self.wanted), self.state))
        self.cache.invalidate()

    def set_wanted(self, wanted: Tensor) -> None:
        """Go over to parameters, shape [num_envs, num_params], and keep them: for an operator."""
        self.fixed_start = wanted
        self.wanted.copy_(wanted)

    def _resample_command(self, env_ids: Tensor) -> None:
        """Put envs into a state of a new walk, with the configured noise, and aim at the state one step later."""
        num = len(env_ids)
        params = self._draw(num) if self.fixed_start is None else self.fixed_start[env_ids]
        phase = torch.rand(num, device=self.device) if self.cfg.random_phase else torch.zeros(num, device=self.device)
        start = self.walk.start(params, phase)
        self.wanted[env_ids] = params
        self._time_to_change[env_ids] = self._draw_times(num)
        self.state[env_ids] = start
        state = self._on_ground(self._window.state_of(self.walk.window(self.state), env_ids), self._origins(env_ids))
        self._write_state(env_ids, state, self.draw_start_noise(num))
        self.state[env_ids] = self.walk.advance(start, params)
        self.cache.invalidate()

    def _reference(self) -> MotionState:
        return self._on_ground(self._window.state_of(self.walk.window(self.state)), self._env.scene.env_origins)

    def _origins(self, env_ids: Tensor) -> Tensor:
        return self._env.scene.env_origins[env_ids]

    def _draw(self, num: int) -> Tensor:
        """Parameters of gaits of the data set, shape [num, num_params]."""
        rows = torch.randint(len(self._examples), (num,), device=self.device)
        return self._examples.index_select(0, rows)

    def _draw_times(self, num: int) -> Tensor:
        low, high = self.cfg.change_interval
        return low + (high - low) * torch.rand(num, device=self.device)

    def _report_non_finite(self, env_ids: Tensor) -> None:
        diverged = has_diverged(self.errors)[env_ids]
        if not diverged.any():  # the one question that a reset asks the device
            return
        diverged_ids, others = env_ids[diverged], env_ids[~diverged]
        for values in self.metrics.values():  # one infinite error would make every mean of the log infinite
            values[diverged_ids] = values[others].mean() if len(others) else 0.0
        zeros = torch.zeros_like(self._env.episode_length_buf)
        dump = dump_non_finite_state(
            self._env.cfg.log_dir, self.robot, diverged_ids, zeros, self._env.episode_length_buf
        )
        logger.error("Non-finite state in envs %s.%s", diverged_ids[:8].tolist(), dump)
