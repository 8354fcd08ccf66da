"""Velocity commands: what a policy is told, the ranges it was trained in, and commands typed by a person."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from whole_body_tracking.names import require_known

UNITS = {"vx": "m/s", "vy": "m/s", "heading": "rad"}
"""Parts of a command as a person types them, and their units."""


@dataclass(frozen=True)
class CommandRanges:
    """Ranges in which commands were drawn in training, and how a heading becomes a turning rate.

    Raises:
        ValueError: If a range is not two finite numbers in order, or the stiffness is not positive.
    """

    lin_vel_x: tuple[float, float]
    """Forward velocity in the heading frame [m/s]."""
    lin_vel_y: tuple[float, float]
    """Velocity to the left in the heading frame [m/s]."""
    ang_vel_z: tuple[float, float]
    """Turning rate [rad/s]; bounds what a heading error asks for."""
    heading: tuple[float, float]
    """Heading in the world [rad]."""
    heading_stiffness: float
    """Turning rate per heading error [1/s]."""

    def __post_init__(self):
        for name in ("lin_vel_x", "lin_vel_y", "ang_vel_z", "heading"):
            low, high = getattr(self, name)
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                raise ValueError(f"Range `{name}` of the velocity command is ({low}, {high}), expected low <= high.")
        if not (math.isfinite(self.heading_stiffness) and self.heading_stiffness > 0.0):
            raise ValueError(f"`heading_stiffness` is {self.heading_stiffness}, expected a positive number.")

    def of(self, name: str) -> tuple[float, float]:
        """Range of ``vx``, ``vy`` or ``heading``."""
        return {"vx": self.lin_vel_x, "vy": self.lin_vel_y, "heading": self.heading}[name]


@dataclass(frozen=True)
class VelocityCommand:
    """One command: velocities in the heading frame and a heading in the world."""

    vx: float = 0.0
    """Forward [m/s]."""
    vy: float = 0.0
    """To the left [m/s]."""
    heading: float = 0.0
    """[rad]"""

    @classmethod
    def parse(cls, text: str) -> VelocityCommand:
        """Read a command such as ``vx=0.5,heading=0``; what it leaves out is 0.

        Raises:
            ValueError: If a part is unknown, given twice, not a number or not finite; the message names it.
        """
        values: dict[str, float] = {}
        for part in text.split(","):
            name, equals, number = (piece.strip() for piece in part.partition("="))
            if not equals:
                raise ValueError(f"Command '{text}': '{part}' is not NAME=NUMBER, as in vx=0.5,heading=0.")
            require_known(name, UNITS, f"part of the command '{text}'")
            if name in values:
                raise ValueError(f"Command '{text}' gives {name} twice.")
            values[name] = _finite(text, name, number)
        return cls(**values)

    def require_within(self, ranges: CommandRanges) -> None:
        """Check a command against the ranges of training, outside of which a policy has seen nothing.

        Raises:
            ValueError: If a part is not finite or outside; the message gives the range.
        """
        for name, unit in UNITS.items():
            (low, high), value = ranges.of(name), getattr(self, name)
            if not low - 1e-9 <= value <= high + 1e-9:
                raise ValueError(
                    f"Command {name}={value:g} {unit} is outside of the range that the policy was trained in,"
                    f" {low:g} to {high:g} {unit}."
                )

    def observed(self, heading: float, ranges: CommandRanges) -> np.ndarray:
        """What the policy observes: forward and lateral velocity [m/s] and turning rate [rad/s], shape [3].

        The rate is that of Isaac Lab's ``UniformVelocityCommand``: the stiffness times the heading error, wrapped into
        (-pi, pi], within the range of the turning rate. A command to stand, velocities of zero, turns too.

        Args:
            heading: Heading of the robot [rad].
            ranges: Of the policy.
        """
        rate = ranges.heading_stiffness * wrap(self.heading - heading)
        return np.array([self.vx, self.vy, float(np.clip(rate, *ranges.ang_vel_z))])

    def __str__(self) -> str:
        return ",".join(f"{name}={getattr(self, name):g}" for name in UNITS)


def wrap(angle: float) -> float:
    """An angle as the equal one in (-pi, pi] [rad]."""
    return math.pi - (math.pi - angle) % (2.0 * math.pi)


def heading_of(quat_xyzw: Sequence[float]) -> float:
    """Heading of a body [rad]: the direction of its x axis in the horizontal plane."""
    x, y, z, w = quat_xyzw
    return math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


def spread_commands(ranges: CommandRanges, num_commands: int, seed: int) -> list[VelocityCommand]:
    """Commands spread over the ranges: the first stands, the second walks straight, the others are drawn.

    Args:
        ranges: Of the policy. Headings are drawn within 45 degrees to either side, so that turning is over after two
            seconds.
        num_commands: Number of commands, at least one.
        seed: Of the random numbers; command i is the same whatever their number.
    """
    commands = [VelocityCommand(), VelocityCommand(vx=min(0.5, ranges.lin_vel_x[1]))]
    turn = (max(-math.pi / 4.0, ranges.heading[0]), min(math.pi / 4.0, ranges.heading[1]))
    for index in range(len(commands), num_commands):
        rng = np.random.default_rng([seed, index])
        bounds = (ranges.lin_vel_x, ranges.lin_vel_y, turn)
        commands.append(VelocityCommand(*(float(rng.uniform(*bound)) for bound in bounds)))
    return commands[:num_commands]


def _finite(text: str, name: str, number: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"Command '{text}': {name} is '{number}', expected a finite number of {UNITS[name]}.")
    return value
