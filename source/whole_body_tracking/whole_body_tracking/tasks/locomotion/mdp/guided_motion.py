"""A reference that some envs follow and others do not."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.tasks.tracking.mdp.commands import MotionCommand

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedRLEnv

    from whole_body_tracking.motion import MotionState
    from whole_body_tracking.tasks.tracking.mdp import MotionCommandCfg


class GuidedMotionCommand(MotionCommand):
    """Reference of guided envs. A subclass says which are guided, and which episodes start standing."""

    def __init__(self, cfg: MotionCommandCfg, env: ManagerBasedRLEnv):
        self.guided = torch.zeros(env.num_envs, dtype=torch.bool, device=env.device)
        """Whether each env follows the reference, shape [num_envs]."""
        self.stands = torch.zeros_like(self.guided)
        """Whether each env's episode starts where the reset's events put it, shape [num_envs]."""
        super().__init__(cfg, env)

    @property
    def guidance(self) -> Tensor:
        """Factor on each env's tracking rewards, shape [num_envs]."""
        return self.guided.float()

    def _write_state(self, env_ids: Tensor, state: MotionState, noise: tuple[Tensor, Tensor, Tensor]) -> None:
        """Write the reference's state; an episode that stands stays where the reset's events have put it."""
        rows = (~self.stands[env_ids]).nonzero().flatten()
        if len(rows) > 0:  # once per reset, which asks the device for its envs anyway
            kept = {field.name: getattr(state, field.name)[rows] for field in fields(state)}
            super()._write_state(env_ids[rows], replace(state, **kept), tuple(values[rows] for values in noise))
