"""Where a looped clip lies: each round begins where the one before ended. No simulator."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from whole_body_tracking.motion import MotionLibrary, MotionState
from whole_body_tracking.motion.geometry.rotations import quat_conjugate, quat_mul, quat_rotate
from whole_body_tracking.tracking.errors import yaw_twist


class LoopPlacement:
    """Turn about the vertical and horizontal shift of each env's reference.

    With the root (p_0, q_0) of a clip's first frame and (p_T, q_T) of its last, a round moves the next one by
    D = yaw(q_T q_0^-1) and d = (p_T - D p_0) without its height; rounds compose: (D', d') = (D' D, d' + D' d).
    """

    def __init__(self, library: MotionLibrary, root_idx: int, num_envs: int):
        """Work out what one round of each clip does.

        Args:
            library: Clips.
            root_idx: Index of the root among the library's bodies.
            num_envs: Number of envs, all unmoved at first.
        """
        clip_ids = torch.arange(library.num_clips, device=library.num_frames.device)
        first = library.state_at(clip_ids, torch.zeros_like(clip_ids))
        last = library.state_at(clip_ids, library.last_frames)
        self._round_quat = yaw_twist(
            quat_mul(last.body_quat_w[:, root_idx], quat_conjugate(first.body_quat_w[:, root_idx]))
        )
        shift = last.body_pos_w[:, root_idx] - quat_rotate(self._round_quat, first.body_pos_w[:, root_idx])
        self._round_shift = shift * shift.new_tensor([1.0, 1.0, 0.0])
        self._unturned = self._round_quat.new_tensor([0.0, 0.0, 0.0, 1.0])
        self.quat = self._unturned.repeat(num_envs, 1)
        """Turn of each env's reference, shape [num_envs, 4]."""
        self.shift = shift.new_zeros(num_envs, 3)
        """Shift of each env's reference after the turn [m], shape [num_envs, 3]."""

    def reset(self, env_ids: Tensor) -> None:
        """Put the reference of envs back to where the clip has it."""
        self.quat[env_ids] = self._unturned
        self.shift[env_ids] = 0.0

    def next_round(self, clip_ids: Tensor, passed: Tensor) -> tuple[Tensor, Tensor]:
        """Turn and shift of the next round where ``passed``, of this one elsewhere; leading dimensions are free."""
        quat = self.quat if passed.dim() == 1 else self.quat[:, None].expand(*passed.shape, 4)
        shift = self.shift if passed.dim() == 1 else self.shift[:, None].expand(*passed.shape, 3)
        if passed.dim() == 2:
            clip_ids = clip_ids[:, None].expand_as(passed)
        next_quat = torch.nn.functional.normalize(quat_mul(quat, self._round_quat[clip_ids]), dim=-1)
        next_shift = shift + quat_rotate(quat, self._round_shift[clip_ids])
        return torch.where(passed[..., None], next_quat, quat), torch.where(passed[..., None], next_shift, shift)

    def advance(self, clip_ids: Tensor, passed: Tensor) -> None:
        """Begin the next round in envs that passed their clip's end, shape [num_envs] each.

        Writes in place: tensors that rsl_rl's inference mode makes could not be written to outside of it.
        """
        quat, shift = self.next_round(clip_ids, passed)
        self.quat.copy_(quat)
        self.shift.copy_(shift)


def place(state: MotionState, quat: Tensor, shift: Tensor) -> MotionState:
    """Turn and shift reference states; joints stay.

    Args:
        state: Reference states, one per row.
        quat: Turns about the vertical, shape [num, 4].
        shift: Shifts after the turn [m], shape [num, 3].
    """
    turns = quat[:, None].expand_as(state.body_quat_w)
    return dataclasses.replace(
        state,
        body_pos_w=quat_rotate(turns, state.body_pos_w) + shift[:, None],
        body_quat_w=quat_mul(turns, state.body_quat_w),
        body_lin_vel_w=quat_rotate(turns, state.body_lin_vel_w),
        body_ang_vel_w=quat_rotate(turns, state.body_ang_vel_w),
    )


def turn(vectors_w: Tensor, quat: Tensor) -> Tensor:
    """Turn vectors that belong to reference states, such as contact forces.

    Args:
        vectors_w: Vectors in world axes, shape [num, ..., 3].
        quat: Turns about the vertical, shape [num, 4].
    """
    return quat_rotate(quat.reshape(-1, *[1] * (vectors_w.dim() - 2), 4).expand(*vectors_w.shape[:-1], 4), vectors_w)
