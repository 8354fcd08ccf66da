"""Modes of a task: given by a command line, and checked before any simulator starts."""

from __future__ import annotations

import argparse
import math
from typing import Any

from whole_body_tracking.locomotion.modes import parse_modes
from whole_body_tracking.tasks.tracking.task_reference import motion_cfg_of


def modes_of(env_cfg: Any) -> list[str] | None:
    """Names of a task's modes in the order of their observation; None for a task without modes.

    Raises:
        FileNotFoundError: If a clip does not exist.
        ValueError: If a mode is wrong.
    """
    modes = getattr(motion_cfg_of(env_cfg), "modes", None)
    return None if modes is None else [entry.name for entry in parse_modes(modes)]


def use_modes(args: argparse.Namespace, env_cfg: Any) -> None:
    """Give a task the modes of ``--modes``.

    Raises:
        FileNotFoundError: If a clip does not exist.
        ValueError: If the task has no modes or one is wrong.
    """
    given, motion = getattr(args, "modes", None), motion_cfg_of(env_cfg)
    if given is None:
        return
    if not hasattr(motion, "modes"):
        raise ValueError(f"--modes is for Velocity-Flat-G1-Modes-v0, and {args.task} has none: leave it out.")
    entries = parse_modes(given)
    motion.modes = [f"{entry.name}={entry.file}" if entry.file else entry.name for entry in entries]


def check_modes(motion: Any) -> None:
    """Check the modes of a motion command's config and let it track their clips.

    Args:
        motion: The config; its ``motion_files`` become those of the modes.

    Raises:
        FileNotFoundError: If a clip does not exist.
        ValueError: If a mode or a time is wrong, or other clips are given.
    """
    if isinstance(motion.modes, str):
        raise ValueError(
            f"`commands.motion.modes` is the text '{motion.modes}', expected a list: write"
            " env.commands.motion.modes=[stand,walk,squat], or --modes stand walk squat."
        )
    files = [entry.file for entry in parse_modes(motion.modes) if entry.file]
    if motion.motion_files not in ([], files):
        raise ValueError(
            f"The clips of this task are those of its modes, and {motion.motion_files} are given. Name each as a mode:"
            " --modes stand walk turn NAME=FILE.npz."
        )
    motion.motion_files = files
    for name in ("mode_time", "clip_pause"):
        low, high = getattr(motion, name)
        if not (math.isfinite(high) and 0.0 < low <= high):
            raise ValueError(f"`commands.motion.{name}` is ({low}, {high}), expected two positive times in order [s].")
    if not 0.0 <= motion.standing_starts <= 1.0:
        raise ValueError(
            f"`commands.motion.standing_starts` is {motion.standing_starts}, expected a share from 0 to 1."
        )
