"""Forward kinematics in few operations, all bodies of one depth at once: what an exported graph runs.

:mod:`.kinematics` is faster for large batches; there every operation is one per body and component, thousands in all,
which cost a graph of batch 1 more than the numbers do.
"""

from __future__ import annotations

import torch
from torch import Tensor

from whole_body_tracking.robots import RobotModel

_HAMILTON = [
    [0, 0, 0, -1], [0, 0, 1, 0], [0, -1, 0, 0], [1, 0, 0, 0],
    [0, 0, -1, 0], [0, 0, 0, -1], [1, 0, 0, 0], [0, 1, 0, 0],
    [0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, -1], [0, 0, 1, 0],
    [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1],
]  # fmt: skip
"""What each product of a component (x, y, z, w) of the left and of the right quaternion adds to their product."""


def level_kinematics(
    robot: RobotModel, root_pos: Tensor, root_quat: Tensor, joint_pos: Tensor
) -> tuple[Tensor, Tensor]:
    """Body positions [m] and orientations (x, y, z, w), shapes [batch, num_bodies, 3] and [batch, num_bodies, 4].

    With o the offset and q0 the turn of a body in its parent's frame, and q(j) = (axis sin j/2, cos j/2),

        q = q_parent q0 q(j),      p = p_root + sum over the body and its ancestors of q_parent o.

    Args:
        robot: The robot.
        root_pos: [m], shape [batch, 3].
        root_quat: (x, y, z, w), shape [batch, 4].
        joint_pos: In the robot's order [rad], shape [batch, num_joints].
    """
    new = root_pos.new_tensor
    half = 0.5 * joint_pos[..., None]
    turn = torch.cat((half.sin() * new(robot.joint_axis), half.cos()), dim=-1)
    local = _product(new(robot.joint_origin_quat), turn)
    parents = [int(parent) for parent in robot.parent_idx]
    levels, order = _levels(parents), [0]
    found = [root_quat[:, None]]
    for bodies in levels:
        above = torch.cat(found, dim=1)[:, [order.index(parents[body]) for body in bodies]]
        found.append(_product(above, local[:, [body - 1 for body in bodies]]))
        order += bodies
    quat = torch.cat(found, dim=1)[:, [order.index(body) for body in range(len(parents))]]
    holding = quat[:, parents[1:]]
    offset = torch.cat((new(robot.joint_origin_pos), root_pos.new_zeros(robot.num_joints, 1)), dim=-1)
    steps = _product(_product(holding, offset), holding * new([-1.0, -1.0, -1.0, 1.0]))[..., :3]
    return torch.cat((root_pos[:, None], root_pos[:, None] + new(_carried(parents)) @ steps), dim=1), quat


def _product(a: Tensor, b: Tensor) -> Tensor:
    """Product of quaternions as one matrix product of all pairs of components, shape [..., 4]."""
    return (a[..., :, None] * b[..., None, :]).flatten(-2) @ a.new_tensor(_HAMILTON)


def _levels(parents: list[int]) -> list[list[int]]:
    """Bodies by their distance from the root, which is left out."""
    depth = [0]
    for parent in parents[1:]:
        depth.append(depth[parent] + 1)
    return [[body for body, d in enumerate(depth) if d == level] for level in range(1, max(depth) + 1)]


def _carried(parents: list[int]) -> list[list[float]]:
    """1 where the body of a row is, or hangs on, the body of a column; the root is left out of both."""
    rows = [[0.0] * (len(parents) - 1)]
    for body, parent in enumerate(parents[1:], start=1):
        row = list(rows[parent])
        row[body - 1] = 1.0
        rows.append(row)
    return rows[1:]
