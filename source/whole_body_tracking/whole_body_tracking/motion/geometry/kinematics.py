"""Batched forward kinematics of a robot in torch, on any device and in any precision."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from whole_body_tracking.robots import RobotModel

from .rotations import hamilton, quat_rotate


def forward_kinematics(
    robot: RobotModel, root_pos: Tensor, root_quat: Tensor, joint_pos: Tensor
) -> tuple[Tensor, Tensor]:
    """Poses of all bodies.

    Args:
        robot: The robot.
        root_pos: Root positions in the world frame [m], shape [batch, 3].
        root_quat: Root orientations (x, y, z, w), unit, shape [batch, 4].
        joint_pos: Joint positions [rad] in the order of ``robot.joint_names``, shape [batch, num_joints].

    Returns:
        Body positions in the world frame [m], shape [batch, num_bodies, 3], and orientations (x, y, z, w),
        shape [batch, num_bodies, 4], in the order of ``robot.body_names`` and the precision of ``joint_pos``.

    Raises:
        ValueError: If the shapes do not match the robot.
    """
    _check_shapes(robot, root_pos, root_quat, joint_pos)
    # One contiguous row per component: several times faster than quaternions in the last dimension.
    half = 0.5 * joint_pos.T
    sin, cos = half.sin().unbind(), half.cos().unbind()
    pos, quat = [tuple(root_pos.unbind(-1))], [tuple(root_quat.unbind(-1))]
    tables = zip(
        robot.joint_axis.tolist(), robot.joint_origin_pos.tolist(), robot.joint_origin_quat.tolist(), strict=True
    )
    for joint, (axis, origin_pos, origin_quat) in enumerate(tables):
        parent = int(robot.parent_idx[joint + 1])
        offset = _rotate(quat[parent], origin_pos)
        pos.append(tuple(p + o for p, o in zip(pos[parent], offset, strict=True)))
        turned = quat[parent] if origin_quat[3] == 1.0 else hamilton(quat[parent], origin_quat)
        quat.append(_turn(turned, axis, sin[joint], cos[joint]))
    return _stack(pos), _stack(quat)


def kinematic_chain(robot: RobotModel, body_names: Sequence[str]) -> RobotModel:
    """The part of a robot that carries these bodies: their ancestors and the joints between them.

    Raises:
        KeyError: If the robot has no such body.
    """
    needed = {robot.body_names[0]}
    for name in body_names:
        while name not in needed:
            needed.add(name)
            name = robot.facts["bodies"][name]["parent"]
    joints = [joint for joint, body in zip(robot.joint_names, robot.body_names[1:], strict=True) if body in needed]
    bodies = [body for body in robot.body_names if body in needed]
    return RobotModel(robot.facts | {"joint_order_csv": joints, "body_order_depth_first": bodies})


def _rotate(quat: tuple[Tensor, ...], v: list[float]) -> tuple[Tensor | float, ...]:
    """Rotate one constant vector by many quaternions (u, w): v + w t + u x t with t = 2 u x v."""
    x, y, z, w = quat
    vx, vy, vz = (2.0 * value for value in v)
    tx, ty, tz = _sum((y, vz), (z, -vy)), _sum((z, vx), (x, -vz)), _sum((x, vy), (y, -vx))
    changes = (
        _sum((w, tx), (y, tz), (z, ty, -1)),
        _sum((w, ty), (z, tx), (x, tz, -1)),
        _sum((w, tz), (x, ty), (y, tx, -1)),
    )
    return tuple(change + value if value else change for change, value in zip(changes, v, strict=True))


def _turn(quat: tuple[Tensor, ...], axis: list[float], sin: Tensor, cos: Tensor) -> tuple[Tensor, ...]:
    """Product of quaternions with (axis sin, cos)."""
    x, y, z, w = quat
    bx, by, bz = (sin if a == 1.0 else sin * a if a else 0.0 for a in axis)
    return (
        _sum((x, cos), (w, bx), (y, bz), (z, by, -1)),
        _sum((y, cos), (w, by), (z, bx), (x, bz, -1)),
        _sum((z, cos), (w, bz), (x, by), (y, bx, -1)),
        _sum((w, cos), (x, bx, -1), (y, by, -1), (z, bz, -1)),
    )


def _sum(*products: tuple) -> Tensor | float:
    """Sum of products (a, b), of which (a, b, -1) is subtracted, without those whose b is the number zero.

    Joint axes and origins are mostly zeros, and on small batches the number of operations is what costs.
    """
    total: Tensor | float = 0.0
    for a, b, *sign in products:
        if isinstance(b, float) and b == 0.0:
            continue
        product = a * b
        if isinstance(total, float):
            total = -product if sign else product
        else:
            total = total - product if sign else total + product
    return total


def _stack(components: list[tuple[Tensor, ...]]) -> Tensor:
    """Stack one tuple of [batch] tensors per body to [batch, num_bodies, num_components]."""
    rows = torch.stack([component for body in components for component in body])
    return rows.T.reshape(rows.shape[1], len(components), -1)


def _check_shapes(robot: RobotModel, root_pos: Tensor, root_quat: Tensor, joint_pos: Tensor) -> None:
    num = len(joint_pos)
    expected = ((num, 3), (num, 4), (num, robot.num_joints))
    found = tuple(tuple(value.shape) for value in (root_pos, root_quat, joint_pos))
    if found != expected:
        raise ValueError(
            f"Forward kinematics of {robot.name} takes root_pos, root_quat and joint_pos of shapes {expected},"
            f" got {found}."
        )


def center_of_mass(robot: RobotModel, body_pos_w: Tensor, body_quat_w: Tensor) -> Tensor:
    """Centre of mass of the whole robot in the world frame [m], shape [batch, 3].

    Args:
        robot: The robot.
        body_pos_w: Body positions [m], shape [batch, num_bodies, 3], in the order of ``robot.body_names``.
        body_quat_w: Body orientations (x, y, z, w), shape [batch, num_bodies, 4].
    """
    bodies = [robot.facts["bodies"][name] for name in robot.body_names]
    mass = body_pos_w.new_tensor([body["mass"] for body in bodies])
    com_b = body_pos_w.new_tensor([body["com"] for body in bodies])
    com_w = body_pos_w + quat_rotate(body_quat_w, com_b)
    return (com_w * mass[:, None]).sum(-2) / mass.sum()
