"""Velocity command of a task: where it is, its ranges, and a check before any simulator starts."""

from __future__ import annotations

import math
from typing import Any

from whole_body_tracking.locomotion.command import CommandRanges

COMMAND_TERM = "base_velocity"


def velocity_cfg_of(env_cfg: Any) -> Any | None:
    """Return the config of a task's velocity command; None for a task without one."""
    return getattr(getattr(env_cfg, "commands", None), COMMAND_TERM, None)


def ranges_of(command_cfg: Any) -> CommandRanges:
    """Ranges of Isaac Lab's command config.

    Raises:
        ValueError: If a range is not two finite numbers in order, or the stiffness is not positive.
    """
    ranges = command_cfg.ranges
    return CommandRanges(
        lin_vel_x=_pair("lin_vel_x", ranges.lin_vel_x),
        lin_vel_y=_pair("lin_vel_y", ranges.lin_vel_y),
        ang_vel_z=_pair("ang_vel_z", ranges.ang_vel_z),
        heading=_pair("heading", ranges.heading),
        heading_stiffness=float(command_cfg.heading_control_stiffness),
    )


def check_command(env_cfg: Any) -> None:
    """Check ranges and shares of a task's velocity command.

    Raises:
        ValueError: If one is wrong; the message names it.
    """
    command = velocity_cfg_of(env_cfg)
    ranges_of(command)
    if not command.heading_command:
        raise ValueError(
            f"`commands.{COMMAND_TERM}.heading_command` is False, expected True: the task rewards headings. Take"
            f" env.commands.{COMMAND_TERM}.rel_heading_envs=0 to draw turning rates instead."
        )
    for name in ("rel_standing_envs", "rel_heading_envs"):
        value = getattr(command, name)
        if not (math.isfinite(value) and 0.0 <= value <= 1.0):
            raise ValueError(f"`commands.{COMMAND_TERM}.{name}` is {value}, expected a share from 0 to 1.")


def _pair(name: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(f"`commands.{COMMAND_TERM}.ranges.{name}` is {value}, expected two numbers such as [-1, 1].")
    return float(value[0]), float(value[1])
