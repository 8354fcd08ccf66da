"""Observations of experts in another task: those of their own task without noise, and the clip's index."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import TYPE_CHECKING

import torch
from isaaclab.managers import ObservationGroupCfg, ObservationTermCfg
from isaaclab.utils import configclass
from isaaclab_tasks.utils import resolve_task_config

from whole_body_tracking.tasks.tracking.delays import remove_observation_delays
from whole_body_tracking.tasks.tracking.tracking_env_cfg import MOTION, TrackingEnvCfg

from ..overrides import OVERRIDE
from .table import ExpertTable

if TYPE_CHECKING:
    from isaaclab.envs import ManagerBasedEnv
    from torch import Tensor

EXPERT_GROUP, CLIP_GROUP = "expert", "expert_clip"


def motion_id(env: ManagerBasedEnv, command_name: str) -> Tensor:
    """Index of the clip that is tracked, shape [num_envs, 1]; exact in single precision."""
    return env.command_manager.get_term(command_name).clip_ids.to(torch.float32)[:, None]


@configclass
class ClipObservationsCfg(ObservationGroupCfg):
    """Observation group with the index of the clip that each env tracks."""

    clip = ObservationTermCfg(func=motion_id, params=MOTION)

    def __post_init__(self):
        self.enable_corruption = False
        self.concatenate_terms = True


def expert_task_cfg(table: ExpertTable, task: str) -> TrackingEnvCfg:
    """Config of the task that the experts were trained on, with the overrides of their training."""
    overrides = [token for token in table.arguments if OVERRIDE.match(token)]
    with contextlib.redirect_stdout(io.StringIO()):
        return resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=overrides)[0]


def add_expert_observations(env_cfg: TrackingEnvCfg, expert_cfg: TrackingEnvCfg) -> None:
    """Add the groups ``expert`` and ``expert_clip`` to a task.

    Args:
        env_cfg: The task in which experts act or are asked; changed in place.
        expert_cfg: The task that they were trained on.

    Raises:
        ValueError: If the experts look ahead and this task does not, or not as far.
    """
    wanted, found = expert_cfg.commands.motion.preview_steps, env_cfg.commands.motion.preview_steps
    if wanted and wanted != found:
        raise ValueError(
            f"The experts look {wanted} frames ahead, this task {found or 'not at all'}. Use presets=motion_preview."
        )
    group = copy.deepcopy(expert_cfg.observations.policy)
    group.enable_corruption = False
    remove_observation_delays(group)
    setattr(env_cfg.observations, EXPERT_GROUP, group)
    setattr(env_cfg.observations, CLIP_GROUP, ClipObservationsCfg())
