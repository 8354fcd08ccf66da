"""The last states of many robots while they move: what a prior sees of a simulation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..state import StateLayout, motion_states


class LiveWindow:
    """The last frames of every env at a prior's rate, from the poses of its control steps.

    Velocities are differences of poses, as in clips, not what the simulator says: that is another number, by which
    clips and simulation could be told apart. All tensors stay on the device; nothing here asks it for a value.
    """

    def __init__(
        self, layout: StateLayout, num_frames: int, steps_per_frame: int, num_envs: int, device: str | torch.device
    ):
        """Create an empty window.

        Args:
            layout: Of the states.
            num_frames: States of a window.
            steps_per_frame: Control steps from one state to the next.
            num_envs: Number of envs.
            device: Where the poses are.
        """
        self.layout, self.num_frames, self.steps_per_frame = layout, num_frames, steps_per_frame
        size = num_frames * steps_per_frame + 1
        self._poses = torch.zeros(size, num_envs, 7 + layout.num_joints, device=device)
        """A ring; row ``_newest`` was written last."""
        self._newest = 0
        self._num_seen = torch.zeros(num_envs, dtype=torch.long, device=device)

    @property
    def is_full(self) -> Tensor:
        """Whether an env has been seen for a whole window since it was forgotten, shape [num_envs]."""
        return self._num_seen >= len(self._poses)

    def forget(self, env_ids: Sequence[int] | Tensor | slice | None = None) -> None:
        """Begin anew in some envs, such as those that were reset; None for all."""
        self._num_seen[slice(None) if env_ids is None else env_ids] = 0

    def forget_where(self, ended: Tensor) -> None:
        """Begin anew where a mask is true, shape [num_envs]."""
        self._num_seen.masked_fill_(ended, 0)

    def add(self, root_pose: Tensor, joint_pos: Tensor) -> None:
        """Take the poses after a control step.

        Args:
            root_pose: Position [m] and orientation (x, y, z, w) of the root in the world, shape [num_envs, 7].
            joint_pos: [rad] in the layout's order, shape [num_envs, num_joints].
        """
        self._newest = (self._newest + 1) % len(self._poses)
        torch.cat((root_pose, joint_pos), dim=-1, out=self._poses[self._newest])
        self._num_seen += 1

    def states(self) -> Tensor:
        """The last states of every env, oldest first, shape [num_envs, num_frames, dim]; see :attr:`is_full`."""
        ordered = torch.cat((self._poses[self._newest + 1 :], self._poses[: self._newest + 1]))
        frames = ordered[:: self.steps_per_frame].transpose(0, 1)
        return motion_states(frames[..., :3], frames[..., 3:7], frames[..., 7:], self.layout.fps)
