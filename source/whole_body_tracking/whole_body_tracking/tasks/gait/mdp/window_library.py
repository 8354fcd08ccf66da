"""States in the middle of a window of three frames, for every env."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from whole_body_tracking.motion import MotionState
from whole_body_tracking.motion.compact_library import CompactMotionLibrary
from whole_body_tracking.robots import RobotModel


class WindowLibrary:
    """A compact library with one clip of three frames per env, rewritten at every step.

    So the states of a walk come from the same kernel, and have the same velocities, as those of clips.
    """

    def __init__(
        self,
        robot: RobotModel,
        num_envs: int,
        dt: float,
        joint_names: Sequence[str],
        body_names: Sequence[str],
        device: str,
    ):
        table = torch.zeros(3 * num_envs, 7 + robot.num_joints, device=device)
        self._library = CompactMotionLibrary(
            table,
            robot,
            num_frames=[3] * num_envs,
            fps=1.0 / dt,
            joint_names=joint_names,
            body_names=body_names,
            names=["walk"] * num_envs,
            digests=[""] * num_envs,
        )
        self._everyone = torch.arange(num_envs, device=device)
        self._middle = torch.ones_like(self._everyone)

    def state_of(self, window: Tensor, env_ids: Tensor | None = None) -> MotionState:
        """States of the middle frames, of some envs or of all.

        Args:
            window: Phase, root position [m], root orientation (x, y, z, w) and joint positions [rad] of three frames of
                every env, shape [num_envs, 3, 8 + num_joints].
            env_ids: Envs to look up; None means all.
        """
        self._library.table.view(len(window), 3, -1).copy_(window[..., 1:])
        env_ids = self._everyone if env_ids is None else env_ids
        return self._library.state_at(env_ids, self._middle[: len(env_ids)])
