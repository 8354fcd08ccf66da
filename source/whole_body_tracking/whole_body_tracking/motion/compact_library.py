"""Many clips in a seventh of the memory: root pose and joint positions only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

from whole_body_tracking.names import require_known
from whole_body_tracking.robots import RobotModel

from .channel_table import ChannelTables
from .clip import MotionClip
from .clip_header import ClipHeader
from .geometry.kinematics import forward_kinematics, kinematic_chain
from .geometry.rotations import quat_conjugate, quat_log, quat_mul
from .library import MotionLibrary, MotionState, fill_table, require_one_rate


class CompactMotionLibrary(MotionLibrary):
    """A :class:`MotionLibrary` that computes body states when they are asked for.

    Body poses are forward kinematics of the stored root pose and joint positions; velocities are central differences
    of the neighbouring frames, one-sided at a clip's ends, as the converter's are. A look-up costs three times the
    forward kinematics of the chain that carries the tracked bodies: one kernel where Warp is installed, some two
    thousand operations of torch where it is not.
    """

    def __init__(self, table: Tensor, robot: RobotModel, **facts):
        super().__init__(table, **facts)
        self._chain = kinematic_chain(robot, self.body_names)
        device = table.device
        columns = [7 + robot.joint_names.index(name) for name in self._chain.joint_names]
        self._chain_columns = torch.tensor(columns, dtype=torch.long, device=device)
        self._joint_columns = torch.tensor([7 + robot.joint_names.index(n) for n in self.joint_names], device=device)
        self._body_idx = torch.tensor([self._chain.body_names.index(n) for n in self.body_names], device=device)
        self._kernel_facts = self._facts_for_kernel(device)

    @classmethod
    def from_clips(
        cls,
        clips: Iterable[MotionClip],
        joint_names: Sequence[str] | None = None,
        body_names: Sequence[str] | None = None,
        device: str | torch.device = "cpu",
        *,
        robot: RobotModel,
        channels: Sequence[str] | None = None,
        headers: Sequence[ClipHeader] | None = None,
    ) -> CompactMotionLibrary:
        """Lay clips end to end; joints and bodies that are looked up are the robot's when None.

        Args:
            clips: Clips of one rate; with ``headers`` they may be a generator, which is gone through once.
            joint_names: Joints to look up.
            body_names: Bodies to look up.
            device: Where to put the table.
            robot: Whose clips they are.
            channels: Channels to keep; None keeps each that some clip carries.
            headers: Headers of the clips.

        Raises:
            ValueError: If there is no clip, rates differ, a clip is not of this robot or not as its header says, a name
                is not the robot's, or no clip carries a channel.
        """
        if headers is None:
            headers = clips = list(clips)
        require_one_rate(headers)
        for header in headers:
            header.require_robot(robot)
        joint_names, body_names = tuple(joint_names or robot.joint_names), tuple(body_names or robot.body_names)
        require_known(joint_names, robot.joint_names, f"joint of {robot.name}")
        require_known(body_names, robot.body_names, f"body of {robot.name}")
        tables, width = ChannelTables(headers, channels, joint_names, device), 7 + robot.num_joints
        table, digests = fill_table(clips, headers, width, lambda clip: _pack(clip, robot), device, tables.add)
        return cls(
            table,
            robot,
            num_frames=[header.num_frames for header in headers],
            fps=headers[0].fps,
            joint_names=joint_names,
            body_names=body_names,
            names=[header.name for header in headers],
            digests=digests,
            channels=tables.finished(),
        )

    def state_at(self, clip_ids: Tensor, frames: Tensor) -> MotionState:
        """States of frames of clips; see :meth:`MotionLibrary.state_at`."""
        if self._kernel_facts is None:
            return self.state_without_warp(clip_ids, frames)
        from .compact_kernel import compact_states_op

        where = (self.table, self.starts, self.last_frames, clip_ids, frames, self.fps)
        return self._split(compact_states_op(*where, self._joint_columns, self._body_idx, *self._kernel_facts))

    def state_without_warp(self, clip_ids: Tensor, frames: Tensor) -> MotionState:
        """What :meth:`state_at` returns, in torch alone: on machines without Warp, and to compare with."""
        last, start = self.last_frames.index_select(0, clip_ids), self.starts.index_select(0, clip_ids)
        frames = torch.minimum(frames.clamp(min=0), last)
        before, after = (frames - 1).clamp(min=0), torch.minimum(frames + 1, last)
        rows = self.table.index_select(0, torch.cat((start + frames, start + before, start + after)))
        body_pos, body_quat = self._bodies(rows)
        joint_pos, joint_before, joint_after = rows.index_select(1, self._joint_columns).chunk(3)
        pos, pos_before, pos_after = body_pos.chunk(3)
        quat, quat_before, quat_after = body_quat.chunk(3)
        rate = (self.fps / (after - before)).to(rows.dtype)[:, None]
        turn = quat_log(quat_mul(quat_after, quat_conjugate(quat_before)))
        return MotionState(
            joint_pos,
            (joint_after - joint_before) * rate,
            pos,
            quat,
            (pos_after - pos_before) * rate[..., None],
            turn * rate[..., None],
        )

    def _facts_for_kernel(self, device: torch.device) -> tuple[Tensor, ...] | None:
        """Parents, columns, axes and origins of the chain's joints; None where there is no Warp for the device."""
        if device.type not in ("cpu", "cuda") or find_spec("warp") is None:
            return None
        from .compact_kernel import chain_tensors

        parents, axes, origins = chain_tensors(self._chain, device)
        return parents, self._chain_columns, axes, origins

    def _bodies(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        joints = rows.index_select(1, self._chain_columns)
        pos, quat = forward_kinematics(self._chain, rows[:, :3], rows[:, 3:7], joints)
        return pos.index_select(1, self._body_idx), quat.index_select(1, self._body_idx)


def _pack(clip: MotionClip, robot: RobotModel) -> np.ndarray:
    root, joints = clip.body_indices(robot.body_names[:1])[0], clip.joint_indices(robot.joint_names)
    return np.concatenate((clip.body_pos_w[:, root], clip.body_quat_w[:, root], clip.joint_pos[:, joints]), axis=1)
