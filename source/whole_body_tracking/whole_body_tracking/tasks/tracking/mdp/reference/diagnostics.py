"""What to keep when a simulation blows up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

if TYPE_CHECKING:
    from isaaclab.assets import Articulation

MAX_DUMPS = 5
"""Files a run writes at most."""


def report_non_finite_state(
    log_dir: str | None, robot: Articulation, worlds: Tensor, clip_ids: Tensor, frames: Tensor
) -> str:
    """Write the state of diverged worlds to ``<log_dir>/non_finite_<n>.npz`` and return a sentence that says so.

    Args:
        log_dir: Folder of the run, or None when nothing is logged.
        robot: The robot.
        worlds: Diverged worlds, shape [num_bad].
        clip_ids: Clip of every world, shape [num_envs].
        frames: Frame of every world, shape [num_envs].
    """
    if log_dir is None:
        return ""
    folder = Path(log_dir)
    count = len(list(folder.glob("non_finite_*.npz")))
    if count >= MAX_DUMPS:
        return f" {MAX_DUMPS} states were already written to {folder}."
    arrays = {
        "env_ids": worlds,
        "clip_ids": clip_ids[worlds],
        "frames": frames[worlds],
        "root_link_pose_w": robot.data.root_link_pose_w.torch[worlds],
        "joint_pos": robot.data.joint_pos.torch[worlds],
        "joint_vel": robot.data.joint_vel.torch[worlds],
        "joint_pos_target": robot.data.joint_pos_target.torch[worlds],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"non_finite_{count}.npz"
    np.savez(path, **{name: value.cpu().numpy() for name, value in arrays.items()})
    return f" Their states are in {path}."
