"""Nearest points of line segments (Ericson, Real-Time Collision Detection, 5.1.9)."""

from __future__ import annotations

from torch import Tensor

TINY = 1e-12


def segment_distance(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Distance of segments that may be points.

    Args:
        a: Ends of the first segments [m], shape [batch, 2, 3].
        b: Ends of the second ones, shape [batch, 2, 3].

    Returns:
        Distances [m], shape [batch], and the nearest points on both, shape [batch, 3].
    """
    along_a, along_b, between = a[:, 1] - a[:, 0], b[:, 1] - b[:, 0], a[:, 0] - b[:, 0]
    aa, bb, ab = _dot(along_a, along_a), _dot(along_b, along_b), _dot(along_a, along_b)
    a_between, b_between = _dot(along_a, between), _dot(along_b, between)
    squared = aa * bb - ab * ab
    s = ((ab * b_between - a_between * bb) / squared.clamp(min=TINY)).clamp(0.0, 1.0)
    s = s.where(squared > 1e-9 * aa * bb, s.new_zeros(()))
    t = ((ab * s + b_between) / bb.clamp(min=TINY)).clamp(0.0, 1.0).where(bb > TINY, s.new_zeros(()))
    s = ((ab * t - a_between) / aa.clamp(min=TINY)).clamp(0.0, 1.0).where(aa > TINY, s.new_zeros(()))
    on_a, on_b = a[:, 0] + s[:, None] * along_a, b[:, 0] + t[:, None] * along_b
    return (on_a - on_b).norm(dim=-1), on_a, on_b


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(-1)
