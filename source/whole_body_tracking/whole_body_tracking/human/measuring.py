"""How well activations give the torques of a motion, by groups of joints, and which joints they cannot drive."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from .inverse_dynamics import HumanDynamics
from .model.body import HumanBody

RESIDUAL_SHARE, SMALLEST_RESIDUAL = 0.05, 0.05
"""A coordinate whose error is above this share of its torque, and above this torque [N m], is a residual."""
TORQUE_FLOOR = 0.1
"""Added to the torque that errors are divided by, so that idle joints do not count most [N m]."""


@dataclass(frozen=True)
class GroupError:
    """Errors of a group of coordinates; root mean squares over frames and coordinates."""

    group: str
    num_coordinates: int
    torque: float
    """What inverse dynamics asks for [N m]."""
    error: float
    """What is missing [N m]."""

    @property
    def share(self) -> float:
        """Missing part of the torque."""
        return self.error / self.torque if self.torque > 0.0 else 0.0


@dataclass(frozen=True)
class Residual:
    """A coordinate whose torque the muscles do not give."""

    coordinate: str
    group: str
    torque: float
    """Root mean square over the frames of what is asked for [N m]."""
    error: float
    """Of what is missing [N m]."""
    num_muscles: int
    """Muscles that cross it; 0: nothing can drive it."""

    def describe(self) -> str:
        """One line with the cause."""
        cause = f"{self.num_muscles} muscles cross it" if self.num_muscles else "no muscle crosses it"
        return f"{self.coordinate}: {self.error:.2f} of {self.torque:.2f} N m missing; {cause}"


def torque_scale(dynamics: HumanDynamics) -> np.ndarray:
    """What errors are divided by: root mean square torque of each coordinate and a floor [N m]."""
    return np.sqrt(np.square(dynamics.torque).mean(0)) + TORQUE_FLOOR


def muscle_torque(dynamics: HumanDynamics, activation: np.ndarray) -> np.ndarray:
    """Torque of activations, passive forces included [N m], shape [num_frames, num_moved]."""
    return np.einsum("fcm,fm->fc", dynamics.torque_per_activation, activation) + dynamics.passive_torque


def group_errors(body: HumanBody, dynamics: HumanDynamics, activation: np.ndarray) -> list[GroupError]:
    """Errors by group, all coordinates together last, under the name ``all``."""
    error = muscle_torque(dynamics, activation) - dynamics.torque
    groups = np.array(body.group_of)
    chosen = {group: groups == group for group in dict.fromkeys(body.group_of)}
    chosen["all"] = np.ones(len(groups), dtype=bool)
    return [
        GroupError(group, int(which.sum()), _rms(dynamics.torque[:, which]), _rms(error[:, which]))
        for group, which in chosen.items()
    ]


def residuals(body: HumanBody, dynamics: HumanDynamics, activation: np.ndarray) -> list[Residual]:
    """Coordinates whose torque is not given, the worst first."""
    error = np.sqrt(np.square(muscle_torque(dynamics, activation) - dynamics.torque).mean(0))
    torque = np.sqrt(np.square(dynamics.torque).mean(0))
    crossing = (np.abs(dynamics.torque_per_activation).max(0) > 1e-6).sum(-1)
    found = [
        Residual(name, group, float(torque[i]), float(error[i]), int(crossing[i]))
        for i, (name, group) in enumerate(zip(body.moved_names, body.group_of, strict=True))
        if error[i] > max(RESIDUAL_SHARE * torque[i], SMALLEST_RESIDUAL)
    ]
    return sorted(found, key=lambda each: -each.error)


def as_json(errors: list[GroupError], found: list[Residual]) -> dict:
    """What ``--json`` writes of one kind of activations."""
    return {
        "torque_error": errors[-1].share,
        "groups": {each.group: asdict(each) | {"share": each.share} for each in errors},
        "residuals": [asdict(each) for each in found],
    }


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.square(values).mean())) if values.size else 0.0
