"""Distance of robots to the clips that they perform in a mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.tracking.errors import anchor_relative_targets


def r_mpkpe(
    pos_w: Tensor, quat_w: Tensor, body_names: Sequence[str], modes: Sequence[str], clips: Mapping[str, MotionClip],
    running: Tensor, robot: RobotModel,
) -> Tensor:  # fmt: skip
    """Mean distance between tracked bodies and the clip's, re-anchored at the robot [m], shape [num_rollouts].

    The state after step k belongs to frame k + 1; steps beyond the clip's last frame do not count. NaN for a mode
    whose clip is not known.

    Args:
        pos_w: Body positions [m], shape [num_steps, num_rollouts, num_bodies, 3].
        quat_w: Body orientations (x, y, z, w), shape [num_steps, num_rollouts, num_bodies, 4].
        body_names: Of the bodies.
        modes: Name of the mode of each rollout.
        clips: Clips by the name of their mode.
        running: Steps until the fall, shape [num_steps, num_rollouts].
        robot: Its tracked bodies and their anchor.
    """
    tracked = list(robot.tracked_body_names)
    anchor, own = tracked.index(robot.anchor_body_name), [list(body_names).index(name) for name in tracked]
    errors = pos_w.new_full((pos_w.shape[1],), torch.nan)
    for name, clip in clips.items():
        rows = [index for index, mode in enumerate(modes) if mode == name]
        steps = min(len(pos_w), clip.num_frames - 1)
        bodies = clip.body_indices(tracked)
        pos, quat = (value[:steps][:, rows][:, :, own].flatten(0, 1) for value in (pos_w, quat_w))
        ref_pos, ref_quat = (
            torch.as_tensor(values[1 : steps + 1, bodies]).float().repeat_interleave(len(rows), dim=0)
            for values in (clip.body_pos_w, clip.body_quat_w)
        )
        target, _ = anchor_relative_targets(
            ref_pos, ref_quat, ref_pos[:, anchor], ref_quat[:, anchor], pos[:, anchor], quat[:, anchor]
        )
        distance = (target - pos).norm(dim=-1).mean(-1).unflatten(0, (steps, len(rows)))
        counts = running[:steps, rows]
        errors[rows] = torch.where(counts, distance, 0.0).sum(0) / counts.sum(0)
    return errors
