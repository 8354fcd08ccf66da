"""Quaternion arithmetic in torch. Quaternions are (x, y, z, w), unit, in the last dimension."""

from __future__ import annotations

import torch
from torch import Tensor


def quat_mul(a: Tensor, b: Tensor) -> Tensor:
    """Product ``a b`` (rotate by b, then by a), shape [..., 4].

    With a = (u, w) and b = (v, s): (u x v + w v + s u, w s - u . v); leading dimensions are broadcast.
    """
    u, v = a[..., :3], b[..., :3]
    vector = torch.linalg.cross(u, v).addcmul(a[..., 3:], v).addcmul(b[..., 3:], u)
    products = a * b
    return torch.cat((vector, products[..., 3:] - products[..., :3].sum(-1, keepdim=True)), dim=-1)


def hamilton(a: tuple[Tensor, ...], b: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Product ``a b`` of quaternions given as four component tensors each."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def quat_conjugate(q: Tensor) -> Tensor:
    """Inverse rotation, shape [..., 4]."""
    return torch.cat((-q[..., :3], q[..., 3:]), dim=-1)


def quat_rotate(q: Tensor, v: Tensor) -> Tensor:
    """Rotate vectors: v + 2 w (u x v) + 2 u x (u x v) with q = (u, w), shape [..., 3]."""
    u, w = torch.broadcast_tensors(q[..., :3], v)[0], q[..., 3:]
    t = 2.0 * torch.linalg.cross(u, v.expand_as(u))
    return torch.addcmul(v, w, t) + torch.linalg.cross(u, t)


def quat_log(q: Tensor) -> Tensor:
    """Rotation vector (axis times angle) of the shorter way round [rad], shape [..., 3]."""
    sin_half = q[..., :3].norm(dim=-1, keepdim=True)
    half_angle = torch.atan2(sin_half, q[..., 3:].abs())
    # sin(x)/x is 1 at 0; below 1e-7 the quotient is 1 to double precision.
    scale = torch.where(sin_half > 1e-7, 2.0 * half_angle / sin_half.clamp(min=1e-12), 2.0)
    return q[..., :3] * scale * torch.where(q[..., 3:] < 0.0, -1.0, 1.0)


def quat_exp(rotation_vector: Tensor) -> Tensor:
    """Unit quaternion of a rotation vector [rad], shape [..., 4]."""
    half = 0.5 * rotation_vector
    return torch.cat((half * torch.sinc(half.norm(dim=-1, keepdim=True) / torch.pi), _cos_norm(half)), dim=-1)


def _cos_norm(v: Tensor) -> Tensor:
    return v.norm(dim=-1, keepdim=True).cos()


def quat_slerp(a: Tensor, b: Tensor, alpha: Tensor) -> Tensor:
    """Interpolate along the shorter great arc: a at ``alpha`` 0, b (or -b) at 1; ``alpha`` is shaped [..., 1]."""
    delta = quat_log(quat_mul(b, quat_conjugate(a)))
    return quat_mul(quat_exp(alpha * delta), a)
