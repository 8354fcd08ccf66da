"""Foot contacts of robot and reference, from the heights of their soles.

A sole is in contact when its lowest collider point is below :data:`CONTACT_HEIGHT`. Contact forces would tell more of
the robot, but the reference has none, and two definitions could not be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from whole_body_tracking.motion.analysis.quality import CONTACT_HEIGHT

MATCH_WINDOW = 0.2
"""A touch-down or lift-off of the robot belongs to one of the reference that is at most this far away [s]."""


@dataclass
class ContactAgreement:
    """Agreement of the robot's contacts with the reference's, each of shape [num_rollouts]; NaN where undefined."""

    precision: Tensor
    """Share of the robot's contacts, over steps and feet, that the reference has too."""
    recall: Tensor
    """Share of the reference's contacts that the robot has too."""
    offset: Tensor
    """Mean distance in time of matched touch-downs and lift-offs [s]."""


def contact_agreement(ref_height: Tensor, robot_height: Tensor, valid: Tensor, step_dt: float) -> ContactAgreement:
    """Compare the contacts of rollouts with those of their references.

    Args:
        ref_height: Sole heights of the reference [m], shape [num_steps, num_rollouts, num_feet].
        robot_height: Sole heights of the robot [m], same shape.
        valid: Steps that count, shape [num_steps, num_rollouts].
        step_dt: Duration of a step [s].
    """
    ref, robot = (height < CONTACT_HEIGHT for height in (ref_height, robot_height))
    ref, robot = (contact & valid[..., None] for contact in (ref, robot))
    both = (ref & robot).sum((0, 2)).float()
    offsets = [_mean_offset(ref[v, i], robot[v, i], step_dt) for i, v in enumerate(valid.T)]
    return ContactAgreement(both / robot.sum((0, 2)), both / ref.sum((0, 2)), both.new_tensor(offsets))


def _mean_offset(ref: Tensor, robot: Tensor, step_dt: float) -> float:
    """Mean distance [s] between changes of contact in the same direction, for contacts of shape [steps, feet]."""
    distances = []
    for foot in range(ref.shape[1]):
        for direction in (1, -1):
            of_ref, of_robot = (_changes(contact[:, foot], direction) for contact in (ref, robot))
            if len(of_ref) and len(of_robot):
                nearest = (of_ref[:, None] - of_robot).abs().amin(1) * step_dt
                distances.append(nearest[nearest <= MATCH_WINDOW + 1e-6])
    found = torch.cat(distances) if distances else torch.empty(0)
    return float(found.mean()) if len(found) else float("nan")


def _changes(contact: Tensor, direction: int) -> Tensor:
    return ((contact[1:].int() - contact[:-1].int()) == direction).nonzero().flatten().float()
