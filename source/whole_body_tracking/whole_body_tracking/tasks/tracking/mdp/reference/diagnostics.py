"""Messages and state dumps of a simulation that diverges."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

if TYPE_CHECKING:
    from isaaclab.assets import Articulation

MAX_DUMPS = 5
"""Largest number of files per run."""

MAX_MESSAGES = 20
"""Largest number of messages per process: a simulation that blows up at every step would fill the disk."""

MAX_LISTED = 8
"""Envs a message names at most."""

logger = logging.getLogger(__name__)


class DivergenceLog:
    """Says which envs diverged, in a bounded number of messages of bounded length."""

    def __init__(self, clip_names: Sequence[str]):
        """Start without a message.

        Args:
            clip_names: Name of each clip.
        """
        self._clip_names, self._num_messages = tuple(clip_names), 0

    def write(self, env_ids: Tensor, clip_ids: Tensor, frames: Tensor, where: str = "") -> None:
        """Log envs with their clips and frames; after :data:`MAX_MESSAGES` calls nothing more.

        Args:
            env_ids: Diverged envs, shape [num_bad].
            clip_ids: Clip of every env, shape [num_envs].
            frames: Frame of every env, shape [num_envs].
            where: Sentence to end with, such as where their states are.
        """
        self._num_messages += 1
        if self._num_messages > MAX_MESSAGES:
            return
        named = [
            f"{env_id} ({self._clip_names[clip_ids[env_id]]}, frame {int(frames[env_id])})"
            for env_id in env_ids[:MAX_LISTED].tolist()
        ]
        others = f" and {len(env_ids) - MAX_LISTED} more" if len(env_ids) > MAX_LISTED else ""
        last = " No more messages of this kind: Episode_Termination/state_not_finite goes on counting."
        ending = last if self._num_messages == MAX_MESSAGES else ""
        logger.error("Non-finite state in envs %s%s.%s%s", ", ".join(named), others, where, ending)


def dump_non_finite_state(
    log_dir: str | None, robot: Articulation, env_ids: Tensor, clip_ids: Tensor, frames: Tensor
) -> str:
    """Write the state of diverged envs to ``<log_dir>/non_finite_<n>.npz`` and return a sentence that says so.

    Args:
        log_dir: Folder of the run, or None when nothing is logged.
        robot: The robot.
        env_ids: Diverged envs, shape [num_bad].
        clip_ids: Clip of every env, shape [num_envs].
        frames: Frame of every env, shape [num_envs].
    """
    if log_dir is None:
        return ""
    folder = Path(log_dir)
    count = len(list(folder.glob("non_finite_*.npz")))
    if count >= MAX_DUMPS:
        return f" {MAX_DUMPS} states were already written to {folder}."
    arrays = {
        "env_ids": env_ids,
        "clip_ids": clip_ids[env_ids],
        "frames": frames[env_ids],
        "root_link_pose_w": robot.data.root_link_pose_w.torch[env_ids],
        "joint_pos": robot.data.joint_pos.torch[env_ids],
        "joint_vel": robot.data.joint_vel.torch[env_ids],
        "joint_pos_target": robot.data.joint_pos_target.torch[env_ids],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"non_finite_{count}.npz"
    np.savez(path, **{name: value.cpu().numpy() for name, value in arrays.items()})
    return f" Their states are in {path}."
