"""Errors of foot contacts, foot heights and tilt. Pure functions of tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from whole_body_tracking.motion.analysis.quality import CONTACT_HEIGHT
from whole_body_tracking.motion.geometry.rotations import quat_conjugate, quat_rotate
from whole_body_tracking.names import require_known


def contact_match(ref_height: Tensor, robot_height: Tensor) -> Tensor:
    """Share of the feet that touch the ground exactly when the reference's do, in [0, 1], shape [...].

    A foot is in contact when its sole is below :data:`~.quality.CONTACT_HEIGHT`, as in the evaluation's metrics.

    Args:
        ref_height: Heights of the reference's soles [m], shape [..., num_feet].
        robot_height: Heights of the robot's soles [m], same shape.
    """
    return ((ref_height < CONTACT_HEIGHT) == (robot_height < CONTACT_HEIGHT)).float().mean(-1)


def squared_tilt(ref_quat: Tensor, robot_quat: Tensor) -> Tensor:
    """Squared angle between the two directions of gravity in the body's frame [rad^2], shape [...].

    Heading does not matter: a turn about the vertical leaves both directions as they are.

    Args:
        ref_quat: Orientations (x, y, z, w) of the reference's body, shape [..., 4].
        robot_quat: Orientations of the robot's body, same shape.
    """
    ref, robot = (quat_rotate(quat_conjugate(quat), _down(quat)) for quat in (ref_quat, robot_quat))
    sine = torch.linalg.cross(ref, robot).norm(dim=-1)
    return torch.atan2(sine, (ref * robot).sum(-1)).square()


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """sum(weights * values) / sum(weights) over the last dimension; the plain mean if all weights are equal."""
    return (values * weights).sum(-1) / weights.sum()


def body_weights(weights: Mapping[str, float], body_names: Sequence[str]) -> list[float]:
    """Weight of each body, 1 for those that ``weights`` does not name.

    Raises:
        ValueError: If a name is not among ``body_names``, or a weight is not positive.
    """
    require_known(weights, body_names, "tracked body in the weights of bodies")
    if not all(weight > 0.0 for weight in weights.values()):
        raise ValueError(
            f"Weights of bodies must be above 0, found {dict(weights)}. To ignore a body, take it out of `body_names`."
        )
    return [float(weights.get(name, 1.0)) for name in body_names]


def _down(quat: Tensor) -> Tensor:
    down = quat.new_zeros(*quat.shape[:-1], 3)
    down[..., 2] = -1.0
    return down
